"""Model versions: one immutable set of files each."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from core.states import StatefulModel
from pipelines.models import DatasetVersion
from registry.models.registered import RegisteredModel
from registry.tracked import RUNNING

OF_GOING_RUN = Q(run__status=RUNNING)


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

    def of_going_runs(self) -> ModelVersionQuerySet:
        """Those whose run had not ended when it was read; runs of other servers are not followed."""
        going = self.ready().filter(OF_GOING_RUN).exclude(run__has_key="server")
        return going.exclude(run_id="")

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
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, db_index=False, related_name="versions"
    )
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
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    rev = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, null=True, db_index=False, related_name="+"
    )
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
            models.Index(
                "model", F("last_updated_at").desc(), F("number").desc(), name="version_newest_of_model"
            ),
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
            models.Index("created_at", name="version_of_going_run", condition=OF_GOING_RUN),
        ]

    def __str__(self) -> str:
        return f"{self.model.name} v{self.number}"

    @property
    def is_ready(self) -> bool:
        return self.status == self.Status.READY

    @property
    def is_run_going(self) -> bool:
        """Whether the run behind it had not ended when it was last read."""
        return self.is_ready and self.run.get("status") == RUNNING and "server" not in self.run

    @property
    def state_words(self) -> str:
        """Goes on after the version's name in a sentence."""
        return {
            self.Status.PENDING_REGISTRATION: "is still being hashed",
            self.Status.READY: "is ready",
            self.Status.FAILED_REGISTRATION: "failed to register",
        }[self.Status(self.status)]

    @property
    def is_intact(self) -> bool:
        """False once stored bytes were found to differ from the manifest."""
        return not self.integrity_failure

    def is_granted_to(self, actor: Actor, right: str) -> bool:
        return self.model.is_granted_to(actor, right)


class VersionDataset(models.Model):
    """A data set version that made or judged a model version."""

    class Role(models.TextChoices):
        TRAINING = "training", "Training"
        HOLDOUT = "holdout", "Hold-out"
        REFERENCE = "reference", "Reference"

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="datasets")
    dataset_version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="model_uses")
    role = models.CharField(max_length=10, choices=Role.choices)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["version", "dataset_version", "role"], name="one_use_per_model_version_and_role"
            )
        ]

    def __str__(self) -> str:
        return f"{self.dataset_version} as {self.role}"
