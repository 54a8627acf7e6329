"""How much a model may keep, what must be kept, and what was deleted."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from registry.models import ModelVersion, RegisteredModel
from registry.names import is_storable, normal_name


class ModelQuota(models.Model):
    """The most bytes all versions of a model may have together."""

    model = models.OneToOneField(RegisteredModel, on_delete=models.CASCADE, related_name="quota")
    bytes = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=1000)
    set_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"quota of {self.model}"


class LegalHoldQuerySet(models.QuerySet["LegalHold"]):
    def standing(self) -> LegalHoldQuerySet:
        return self.filter(released_at__isnull=True)


class LegalHold(models.Model):
    """Somebody must be able to show this version: nobody deletes it until the hold is released."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="legal_holds")
    reason = models.CharField(max_length=1000)
    placed_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    placed_at = models.DateTimeField(db_default=Now())
    release_reason = models.CharField(max_length=1000, blank=True, default="")
    released_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)

    objects = LegalHoldQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(released_at__isnull=True),
                name="one_standing_hold_per_version",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="a_hold_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"legal hold on {self.version}"


class TombstoneQuerySet(models.QuerySet["Tombstone"]):
    def visible_to(self, actor: Actor) -> TombstoneQuerySet:
        """Of models the actor administers; those of deleted models, for who administers or audits all."""
        if actor.holds_everywhere("administer") or actor.holds_everywhere("audit"):
            return self.all()
        return self.filter(version__model__in=RegisteredModel.objects.granting(actor, "administer"))

    def readable_by(self, actor: Actor) -> TombstoneQuerySet:
        """One at a time: whoever may see the model may read what became of a version they know of."""
        models = RegisteredModel.objects.visible_to(actor)
        return self.filter(Q(pk__in=self.visible_to(actor)) | Q(version__model__in=models))

    def of_model(self, name: str) -> TombstoneQuerySet:
        """Of the model that bears this name, or bore it when the version was deleted."""
        if not is_storable(name):
            return self.none()
        name = normal_name(name)
        return self.filter(Q(version__model__in=RegisteredModel.objects.named(name)) | Q(model_name=name))

    def in_lists(self) -> TombstoneQuerySet:
        related = self.select_related("version__model", "deleted_by")
        return related.defer("version__manifest", "version__requirements", "version__signature")


class Tombstone(models.Model):
    """A version that was deleted: who did it and why, and the digest of what it was."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.OneToOneField(ModelVersion, on_delete=models.PROTECT, related_name="tombstone")
    model_name = models.CharField(max_length=256)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, blank=True, default="")
    size = models.PositiveBigIntegerField(default=0)
    aliases = models.JSONField(default=list)
    reason = models.CharField(max_length=1000, blank=True, default="")
    deleted_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    deleted_by_name = models.CharField(max_length=150, blank=True, default="")
    deleted_at = models.DateTimeField(db_default=Now())

    objects = TombstoneQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(F("deleted_at").desc(), name="tombstone_newest_first"),
            models.Index("model_name", name="tombstone_by_model"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}, deleted"

    @property
    def name(self) -> str:
        """The model's name of now; that of then once the model is deleted."""
        model = self.version.model
        return str(self.model_name if model.deleted_at is not None else model.name)

    @property
    def former_name(self) -> str:
        """What the model was named when the version was deleted, if it is renamed since."""
        return str(self.model_name) if self.name != self.model_name else ""

    @property
    def address(self) -> str:
        """Where the version was; under its own id once the whole model is deleted."""
        model = self.version.model
        if model.deleted_at is not None:
            return f"/deleted-versions/{self.pk}/"
        return f"/models/{quote(model.name, safe='')}/versions/{self.number}/"
