"""Model cards: what people say of a model, revision after revision."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from registry.models import RegisteredModel


class CardRevisionQuerySet(models.QuerySet["CardRevision"]):
    def visible_to(self, actor: Actor) -> CardRevisionQuerySet:
        """Cards of the models the actor may see."""
        return self.filter(model__in=RegisteredModel.objects.visible_to(actor))

    def newest_first(self) -> CardRevisionQuerySet:
        return self.select_related("created_by").order_by("-number")

    def holding_for(self, number: int) -> CardRevisionQuerySet:
        """Revisions that say something of the version with this number, the one that counts first."""
        return self.filter(from_version__lte=number).newest_first()


class CardRevision(models.Model):
    """What a model's card said from one moment on; the database refuses to change a revision.

    ``sections`` maps keys of ``registry.cards.sections`` to Markdown. ``from_version`` is the first
    version of which it holds: an older version keeps the card it had.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="cards")
    number = models.PositiveIntegerField()
    from_version = models.PositiveIntegerField(default=1)
    sections = models.JSONField(default=dict)
    note = models.CharField(max_length=500, blank=True, default="")
    created_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    objects = CardRevisionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="card_revisions_are_never_reused"),
            models.CheckConstraint(condition=Q(from_version__gte=1), name="a_card_holds_from_a_version_on"),
        ]
        indexes = [models.Index("model", F("number").desc(), name="card_newest_revision")]

    def __str__(self) -> str:
        return f"card of {self.model.name}, revision {self.number}"
