"""What serving leaves behind: processes, counts, metered use, and the log's sealed segments."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from deployments.models.deployments import Deployment
from deployments.models.places import Endpoint
from registry.models import RegisteredModel


class Scorer(models.Model):
    """The process that runs a deployment, as its agent last reported it."""

    class Status(models.TextChoices):
        STARTING = "starting", "Starting"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    deployment = models.OneToOneField(
        Deployment, on_delete=models.PROTECT, primary_key=True, related_name="scorer"
    )
    agent = models.CharField(max_length=100)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.STARTING)
    pid = models.PositiveIntegerField(null=True)
    socket = models.CharField(max_length=200, blank=True, default="")
    sandbox = models.CharField(max_length=20, blank=True, default="")
    kind = models.CharField(max_length=20, blank=True, default="")
    restarts = models.PositiveIntegerField(default=0)
    load_seconds = models.FloatField(null=True)
    memory_bytes = models.PositiveBigIntegerField(default=0)
    cpu_seconds = models.FloatField(default=0)
    failure_code = models.CharField(max_length=40, blank=True, default="")
    failure = models.TextField(blank=True, default="")
    log_tail = models.TextField(blank=True, default="")
    started_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    reported_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"scorer of {self.deployment_id}"


class ScorerUsage(models.Model):
    """Metered by the agent outside of the sandbox, per hour: what monitoring puts prices on."""

    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="usage")
    hour = models.DateTimeField()
    cpu_seconds = models.FloatField(default=0)
    memory_byte_seconds = models.FloatField(default=0)
    seconds = models.FloatField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["deployment", "hour"], name="one_usage_per_deployment_and_hour")
        ]

    def __str__(self) -> str:
        return f"{self.deployment_id} {self.hour:%Y-%m-%d %H}"


class TrafficCount(models.Model):
    """What one gateway answered for a deployment in a minute of a rollout step.

    The gateway writes whole counts, never increments, so writing twice changes nothing.
    ``latency`` counts requests per bucket of ``serving.traffic.BOUNDS_MS``.
    """

    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="traffic")
    step = models.PositiveSmallIntegerField(default=0)
    minute = models.DateTimeField()
    gateway = models.CharField(max_length=40)
    requests = models.PositiveIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    latency = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["deployment", "step", "minute", "gateway"], name="one_count_per_minute_and_gateway"
            )
        ]

    def __str__(self) -> str:
        return f"{self.deployment_id} {self.minute:%Y-%m-%d %H:%M}"


class LogSegmentQuerySet(models.QuerySet["LogSegment"]):
    def visible_to(self, actor: Actor) -> LogSegmentQuerySet:
        """Segments of models whose predictions the actor may see."""
        models_seen = RegisteredModel.objects.visible_to(actor)
        allowed = RegisteredModel.objects.granting(actor, "view_predictions")
        return self.filter(endpoint__model__in=models_seen).filter(endpoint__model__in=allowed)


class LogSegment(models.Model):
    """A sealed part of the prediction log: one Parquet file of one deployment and hour served.

    Shadow rows carry the prediction id of the answer they shadowed, so a row is identified by
    prediction id and deployment.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="segments")
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="segments")
    slot = models.CharField(max_length=6, blank=True, default="")
    date = models.DateField()
    hour = models.PositiveSmallIntegerField()
    key = models.CharField(max_length=300, unique=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    rows = models.PositiveBigIntegerField()
    requests = models.PositiveBigIntegerField()
    failed = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    served_from = models.DateTimeField()
    served_to = models.DateTimeField()
    event_from = models.DateTimeField()
    event_to = models.DateTimeField()
    sealed_at = models.DateTimeField(db_default=Now())

    objects = LogSegmentQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index("endpoint", "event_from", name="segment_by_event_time"),
            models.Index("deployment", "served_from", name="segment_by_deployment"),
            models.Index(F("sealed_at").desc(), name="segment_newest_first"),
        ]

    def __str__(self) -> str:
        return self.key


class SealedJournal(models.Model):
    """This journal file is in segments: sealing it again changes nothing."""

    name = models.CharField(max_length=200, unique=True)
    rows = models.PositiveBigIntegerField()
    sealed_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
