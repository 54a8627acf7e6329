"""Pipelines shipped with the installation, and their runs."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from core.states import StatefulModel
from pipelines.models.datasets import DatasetVersion


class PipelineQuerySet(models.QuerySet["Pipeline"]):
    def visible_to(self, actor: Actor) -> PipelineQuerySet:
        """Whoever may create or see things may know which pipelines there are."""
        if actor.holds_everywhere("view") or actor.holds_everywhere("create"):
            return self
        return self.none()


class Pipeline(models.Model):
    """Steps that the installation can run; its code is ``pipelines.recipes``' entry of ``recipe``."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100, unique=True)
    recipe = models.CharField(max_length=100)
    description = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    objects = PipelineQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class PipelineRunQuerySet(models.QuerySet["PipelineRun"]):
    def visible_to(self, actor: Actor) -> PipelineRunQuerySet:
        """All by role, else one's own: parameters and log tell about other people's data."""
        if actor.holds_everywhere("view"):
            return self
        if not actor.is_active or not actor.scope_allows("view"):
            return self.none()
        return self.filter(started_by__person=actor.person_id)

    def open(self) -> PipelineRunQuerySet:
        return self.filter(status__in=[PipelineRun.Status.QUEUED, PipelineRun.Status.RUNNING])


class PipelineRun(StatefulModel):
    """A pipeline with its parameters, run once, and what came of it."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.QUEUED: {Status.RUNNING, Status.FAILED, Status.CANCELLED},
        Status.RUNNING: {Status.SUCCEEDED, Status.FAILED, Status.CANCELLED},
    }

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    pipeline = models.ForeignKey(Pipeline, on_delete=models.PROTECT, related_name="runs")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    parameters = models.JSONField(default=dict)
    dataset_versions = models.ManyToManyField(
        DatasetVersion, through="RunDataset", related_name="pipeline_runs"
    )
    mlflow_run_id = models.CharField(max_length=64, blank=True, default="")
    code_commit = models.CharField(max_length=100, blank=True, default="")
    environment = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    failure = models.TextField(blank=True, default="")
    log = ArrayField(models.TextField(), default=list)
    job_id = models.UUIDField(null=True)
    started_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = PipelineRunQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index("pipeline", F("created_at").desc(), name="pipeline_run_newest_first")]

    def __str__(self) -> str:
        return f"run {self.id} of {self.pipeline.name}"

    @property
    def is_over(self) -> bool:
        return self.status in {self.Status.SUCCEEDED, self.Status.FAILED, self.Status.CANCELLED}


class RunDataset(models.Model):
    """A data set version that a run read or made."""

    class Role(models.TextChoices):
        TRAINING = "training", "Training"
        HOLDOUT = "holdout", "Hold-out"
        OUTPUT = "output", "Output"

    run = models.ForeignKey(PipelineRun, on_delete=models.CASCADE, related_name="datasets")
    version = models.ForeignKey(DatasetVersion, on_delete=models.PROTECT, related_name="run_uses")
    role = models.CharField(max_length=10, choices=Role.choices)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["run", "version", "role"], name="one_use_per_version_and_role")
        ]

    def __str__(self) -> str:
        return f"{self.version} as {self.role}"
