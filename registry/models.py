"""Registered models, their versions, aliases and tags."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5, Now

from accounts.grants import granted_ids, is_granted
from core.actors import Actor, holds
from core.identifiers import new_id
from core.states import StatefulModel
from registry.access.models import ModelAccountGrant, ModelGroupGrant
from registry.names import LONGEST_ALIAS, LONGEST_NAME, is_storable, normal_name

# Code-point order, the same on every machine, and usable for prefix searches.
BYTEWISE = "C"
# Aliases that follow a protected environment whatever the table says.
ALWAYS_PROTECTED = frozenset({"champion"})


class RegisteredModelQuerySet(models.QuerySet["RegisteredModel"]):
    def existing(self) -> RegisteredModelQuerySet:
        return self.filter(deleted_at__isnull=True)

    def visible_to(self, actor: Actor) -> RegisteredModelQuerySet:
        """The one predicate of what an actor may see: everything by role, else by grant."""
        if actor.holds_everywhere("view"):
            return self.existing()
        return self.existing().filter(pk__in=granted_ids(actor, "view", ModelAccountGrant, ModelGroupGrant))

    def granting(self, actor: Actor, right: str) -> RegisteredModelQuerySet:
        """Those on which the actor holds ``right``, by role or by grant."""
        if actor.holds_everywhere(right):
            return self.existing()
        return self.existing().filter(pk__in=granted_ids(actor, right, ModelAccountGrant, ModelGroupGrant))

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
    created_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    last_updated_at = models.DateTimeField(db_default=Now())
    deleted_at = models.DateTimeField(null=True)

    objects = RegisteredModelQuerySet.as_manager()

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
        return is_granted(actor, right, self, ModelAccountGrant, ModelGroupGrant)

    def is_visible_to(self, actor: Actor) -> bool:
        return self.deleted_at is None and holds(actor, "view", self)


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def existing(self) -> ModelVersionQuerySet:
        return self.filter(deleted_at__isnull=True)

    def visible_to(self, actor: Actor) -> ModelVersionQuerySet:
        """Versions of the models the actor may see."""
        if actor.holds_everywhere("view"):
            return self.existing()
        return self.existing().filter(model__in=RegisteredModel.objects.visible_to(actor))

    def ready(self) -> ModelVersionQuerySet:
        return self.existing().filter(status=ModelVersion.Status.READY)

    def in_lists(self) -> ModelVersionQuerySet:
        """With the model, without the columns that can be large."""
        return self.select_related("model").defer("manifest", "requirements", "signature", "flavours")


class ModelVersion(StatefulModel):
    """One set of files of a registered model; its content never changes once it is READY."""

    class Status(models.TextChoices):
        PENDING_REGISTRATION = "PENDING_REGISTRATION", "Hashing files"
        READY = "READY", "Ready"
        FAILED_REGISTRATION = "FAILED_REGISTRATION", "Registration failed"

    class Stage(models.TextChoices):
        NONE = "None", "None"
        STAGING = "Staging", "Staging"
        PRODUCTION = "Production", "Production"
        ARCHIVED = "Archived", "Archived"

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.PENDING_REGISTRATION: {Status.READY, Status.FAILED_REGISTRATION},
        Status.FAILED_REGISTRATION: {Status.PENDING_REGISTRATION},
    }

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING_REGISTRATION)
    status_message = models.CharField(max_length=1000, blank=True, default="")
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.NONE)
    description = models.TextField(blank=True, default="")
    source = models.CharField(max_length=2000, blank=True, default="")
    run_id = models.CharField(max_length=64, blank=True, default="")
    run_link = models.CharField(max_length=2000, blank=True, default="")
    logged_model_id = models.CharField(max_length=64, blank=True, default="")
    run = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True, default="")
    manifest = models.JSONField(default=list)
    size = models.PositiveBigIntegerField(default=0)
    file_count = models.PositiveIntegerField(default=0)
    flavours = models.JSONField(default=dict)
    signature = models.JSONField(null=True)
    requirements = models.TextField(blank=True, default="")
    environment = models.JSONField(default=dict)
    format_warning = models.CharField(max_length=500, blank=True, default="")
    parameters = models.JSONField(default=dict)
    metrics = models.JSONField(default=dict)
    code_commit = models.CharField(max_length=100, blank=True, default="")
    holdout = models.JSONField(default=dict)
    rev = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    last_updated_at = models.DateTimeField(db_default=Now())
    ready_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    integrity_failure = models.CharField(max_length=1000, blank=True, default="")
    deleted_at = models.DateTimeField(null=True)

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="version_numbers_are_never_reused"),
            models.CheckConstraint(
                condition=~Q(status="READY") | Q(digest__regex=r"^[0-9a-f]{64}$"),
                name="a_ready_version_has_a_digest",
            ),
        ]
        indexes = [
            models.Index("model", F("number").desc(), name="version_newest_number"),
            models.Index("model", "stage", F("number").desc(), name="version_newest_in_stage"),
            models.Index("run_id", name="version_by_run", condition=~Q(run_id="")),
            models.Index("logged_model_id", name="version_by_logged_model", condition=~Q(logged_model_id="")),
            models.Index("digest", name="version_by_digest", condition=~Q(digest="")),
            HashIndex(fields=["source"], name="version_by_source"),
            models.Index(
                F("last_updated_at").desc(), "model", F("number").desc(), name="version_newest_first"
            ),
            models.Index("created_at", "model", F("number").desc(), name="version_by_age"),
            models.Index("created_at", name="version_waiting", condition=Q(status="PENDING_REGISTRATION")),
        ]

    def __str__(self) -> str:
        return f"{self.model.name} v{self.number}"

    @property
    def is_ready(self) -> bool:
        return self.status == self.Status.READY

    @property
    def is_intact(self) -> bool:
        """False once stored bytes were found to differ from the manifest."""
        return not self.integrity_failure

    def is_granted_to(self, actor: Actor, right: str) -> bool:
        return self.model.is_granted_to(actor, right)


class ModelAlias(models.Model):
    """A name that points at one version of a model."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=LONGEST_ALIAS, db_collation=BYTEWISE)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="aliases")
    set_by_name = models.CharField(max_length=150, blank=True, default="")
    set_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="one_version_per_alias")]

    def __str__(self) -> str:
        return f"{self.model.name}@{self.name}"


class Tag(models.Model):
    """A key and a value that people and clients attach."""

    key = models.CharField(max_length=250, db_collation=BYTEWISE)
    value = models.TextField(blank=True, default="")

    class Meta:
        abstract = True


class ModelTag(Tag):
    """A tag of a registered model."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="tags")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["model", "key"], name="one_value_per_model_tag")]
        indexes = [models.Index("key", MD5("value"), name="model_by_tag")]

    def __str__(self) -> str:
        return self.key


class VersionTag(Tag):
    """A tag of a model version."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="tags")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="one_value_per_version_tag")]
        indexes = [models.Index("key", MD5("value"), name="version_by_tag")]

    def __str__(self) -> str:
        return self.key


class ProtectedAlias(models.Model):
    """An alias name that moves only with an approval; see ``is_protected_alias``."""

    name = models.CharField(max_length=LONGEST_ALIAS, unique=True, db_collation=BYTEWISE)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
