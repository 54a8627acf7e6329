"""The rows of durable jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.identifiers import new_id
from core.states import StatefulModel

LEASE = timedelta(seconds=30)
LOG_LINES = 200


class JobQuerySet(models.QuerySet["Job"]):
    def due(self) -> JobQuerySet:
        """Queued and not put off, by the database's clock."""
        return self.filter(status=Job.Status.QUEUED, run_after__lte=Now())

    def with_lost_lease(self) -> JobQuerySet:
        return self.filter(status=Job.Status.RUNNING, lease_until__lt=Now())

    def open(self) -> JobQuerySet:
        return self.filter(status__in=[Job.Status.QUEUED, Job.Status.RUNNING])

    def about(self, subject: Any) -> JobQuerySet:
        return self.filter(subject_type=subject._meta.label_lower, subject_id=str(subject.pk))


class Job(StatefulModel):
    """Work that a change asked for; written in the change's own transaction."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.QUEUED: {Status.RUNNING, Status.CANCELLED, Status.FAILED},
        Status.RUNNING: {Status.QUEUED, Status.SUCCEEDED, Status.FAILED, Status.CANCELLED},
    }

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=100)
    queue = models.CharField(max_length=40, default="default")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    subject_type = models.CharField(max_length=100, blank=True, default="")
    subject_id = models.CharField(max_length=100, blank=True, default="")
    # The model decides who may see the job; a name may pass to somebody else's model.
    model_id = models.UUIDField(null=True)
    model_name = models.CharField(max_length=256, blank=True, default="")
    payload = models.JSONField(default=dict)
    requested_by_id = models.UUIDField(null=True)
    requested_by_name = models.CharField(max_length=150, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True, default="")
    run_after = models.DateTimeField(db_default=Now())
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=3)
    fence = models.PositiveBigIntegerField(default=0)
    leased_by = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    progress_percent = models.PositiveSmallIntegerField(default=0)
    progress_step = models.CharField(max_length=200, blank=True, default="")
    log_tail = ArrayField(models.TextField(), default=list)
    result = models.JSONField(null=True)
    failure = models.TextField(blank=True, default="")
    cpu_seconds = models.FloatField(default=0)
    peak_memory_bytes = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        app_label = "core"
        indexes = [
            models.Index(
                "queue", "run_after", name="job_waiting", condition=Q(status__in=["queued", "running"])
            ),
            models.Index("subject_type", "subject_id", "created_at", name="job_by_subject"),
            models.Index(F("created_at").desc(), name="job_newest_first"),
        ]

    def __str__(self) -> str:
        return f"job {self.kind} {self.id}"

    @property
    def is_over(self) -> bool:
        return self.status in {self.Status.SUCCEEDED, self.Status.FAILED, self.Status.CANCELLED}


class PeriodicRun(models.Model):
    """One period of one schedule: two beats can never start the same period twice."""

    name = models.CharField(max_length=100)
    period = models.BigIntegerField()
    job = models.ForeignKey(Job, on_delete=models.CASCADE)

    class Meta:
        app_label = "core"
        constraints = [models.UniqueConstraint(fields=["name", "period"], name="one_run_per_period")]

    def __str__(self) -> str:
        return f"{self.name} #{self.period}"
