"""Registered models: what people know by name."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.grants import granted, is_granted
from core.actors import Actor, holds
from core.identifiers import new_id
from registry.access.held import Held
from registry.access.models import ModelAccountGrant, ModelGroupGrant
from registry.names import LONGEST_NAME, is_storable, normal_name

# Code-point order, the same on every machine, and usable for prefix searches.
BYTEWISE = "C"


class RegisteredModelQuerySet(models.QuerySet["RegisteredModel"]):
    def existing(self) -> RegisteredModelQuerySet:
        return self.filter(deleted_at__isnull=True)

    def visible_to(self, actor: Actor) -> RegisteredModelQuerySet:
        """The one predicate of what an actor may see: everything by role, else by grant."""
        return self.granting(actor, "view")

    def ever_visible_to(self, actor: Actor) -> RegisteredModelQuerySet:
        """Also those deleted since: what was asked and measured of them stays readable."""
        return self.filter(granted(actor, "view", ModelAccountGrant, ModelGroupGrant))

    def granting(self, actor: Actor, right: str) -> RegisteredModelQuerySet:
        """Those on which the actor holds ``right``, by role or by grant."""
        return self.existing().filter(granted(actor, right, ModelAccountGrant, ModelGroupGrant))

    def named(self, name: str) -> RegisteredModelQuerySet:
        """By exact name; text that PostgreSQL cannot hold names nothing."""
        return self.existing().filter(name=normal_name(name)) if is_storable(name) else self.none()

    def searched(self, text: str) -> RegisteredModelQuerySet:
        """Those whose name holds the text, in any case of letters."""
        return self.filter(name__icontains=normal_name(text)) if is_storable(text) else self.none()


class RegisteredModel(models.Model):
    """A model people know by name; its versions are what is released."""

    class Tier(models.TextChoices):
        HIGH = "high", "High risk"
        MEDIUM = "medium", "Medium risk"
        LOW = "low", "Low risk"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=LONGEST_NAME, db_collation=BYTEWISE)
    look_sha256 = models.CharField(max_length=64, editable=False)
    description = models.TextField(blank=True, default="")
    owner = models.ForeignKey(
        "accounts.Person", on_delete=models.PROTECT, null=True, related_name="owned_models"
    )
    on_call = models.ForeignKey("accounts.Person", on_delete=models.PROTECT, null=True, related_name="+")
    tier = models.CharField(max_length=6, choices=Tier.choices, default=Tier.MEDIUM)
    next_number = models.PositiveIntegerField(default=1)
    rev = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    last_updated_at = models.DateTimeField(db_default=Now())
    deleted_at = models.DateTimeField(null=True)

    objects = RegisteredModelQuerySet.as_manager()
    # What the actor of a change was found to hold here when the row was locked.
    held: Held | None = None

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [
            ("view", "May see it"),
            ("view_predictions", "May see its logged predictions"),
            ("register", "May register versions"),
            ("propose", "May propose promotions"),
            ("approve", "May approve promotions"),
            ("deploy", "May deploy"),
            ("roll_back", "May roll back"),
            ("export", "May export"),
            ("predict", "May ask for predictions"),
            ("administer", "May administer"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(deleted_at__isnull=True), name="one_registered_model_per_name"
            ),
        ]
        indexes = [
            models.Index("name", name="deleted_model_by_name", condition=Q(deleted_at__isnull=False)),
            models.Index("look_sha256", name="model_by_look", condition=Q(deleted_at__isnull=True)),
            models.Index(
                F("last_updated_at").desc(),
                "name",
                name="model_newest_first",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index("created_at", "name", name="model_by_age", condition=Q(deleted_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.name

    def is_granted_to(self, actor: Actor, right: str) -> bool:
        """Whether a grant on this model, to the person or a group, gives the right now."""
        if self.held is not None and self.held.actor == actor:
            return self.held.gives(right)
        return is_granted(actor, right, self, ModelAccountGrant, ModelGroupGrant)

    def is_visible_to(self, actor: Actor) -> bool:
        return self.deleted_at is None and holds(actor, "view", self)
