"""Views of list pages that people keep under a name."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id

LONGEST_NAME, LONGEST_QUERY = 60, 2000


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, actor: Actor) -> SavedViewQuerySet:
        """One's own and nobody else's, whatever role asks; deleted ones too."""
        if not actor.is_active or actor.person_id is None:
            return self.none()
        return self.filter(person=actor.person_id)

    def existing(self) -> SavedViewQuerySet:
        return self.filter(deleted_at__isnull=True)


class SavedView(models.Model):
    """Filters and order of one list page, as the query string that its address carries.

    A deleted one stays for a while, so that its deletion can be undone.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=20)
    name = models.CharField(max_length=LONGEST_NAME)
    query = models.CharField(max_length=LONGEST_QUERY)
    created_at = models.DateTimeField(db_default=Now())
    deleted_at = models.DateTimeField(null=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["person", "page", "name"],
                name="one_view_per_name",
                condition=Q(deleted_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"view {self.name} of {self.page}"
