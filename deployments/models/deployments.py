"""Putting versions on endpoints: clearances, deployments and their history."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from core.states import StatefulModel
from deployments.models.places import Endpoint, Environment
from registry.models import RegisteredModel

NO_SLOT = ""


class ClearanceQuerySet(models.QuerySet["Clearance"]):
    def valid(self) -> ClearanceQuerySet:
        """Neither revoked nor expired, by the database's clock."""
        return self.filter(revoked_at__isnull=True).filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=Now())
        )

    def visible_to(self, actor: Actor) -> ClearanceQuerySet:
        return self.filter(model__in=RegisteredModel.objects.visible_to(actor))


class Clearance(models.Model):
    """Permission that exactly these bytes go to this environment, once."""

    class Kind(models.TextChoices):
        APPROVAL = "approval", "Approved request"
        ROLLBACK = "rollback", "Rollback to a proven version"
        BREAK_GLASS = "break_glass", "Break-glass"
        UNPROTECTED = "unprotected", "Free environment"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.PROTECT, related_name="clearances")
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.PROTECT, related_name="clearances")
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="clearances")
    digest = models.CharField(max_length=64)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    evidence_sha256 = models.CharField(max_length=64, blank=True, default="")
    reference = models.CharField(max_length=200, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    granted_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    granted_by_name = models.CharField(max_length=150, blank=True, default="")
    granted_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ClearanceQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="clearance_names_a_digest"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["approval", "break_glass"])
                | Q(evidence_sha256__regex=r"^[0-9a-f]{64}$"),
                name="approval_clearance_carries_evidence",
            ),
            models.CheckConstraint(
                condition=~Q(kind="rollback") | ~Q(reason=""), name="rollback_clearance_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"clearance of {self.version} for {self.environment}"


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def visible_to(self, actor: Actor) -> DeploymentQuerySet:
        return self.filter(endpoint__model__in=RegisteredModel.objects.visible_to(actor))

    def in_flight(self) -> DeploymentQuerySet:
        """Started and not yet live: at most one per endpoint."""
        return self.filter(status__in=Deployment.IN_FLIGHT)

    def wanting_scorer(self) -> DeploymentQuerySet:
        """Those for which a scorer must run."""
        return self.filter(status__in=Deployment.SERVED)

    def was_live(self) -> DeploymentQuerySet:
        """Proven: served as the stable version at some time."""
        return self.filter(live_at__isnull=False)

    def in_lists(self) -> DeploymentQuerySet:
        return self.select_related(
            "endpoint__model", "endpoint__environment", "version__model", "replaces__version"
        ).defer("version__manifest", "version__requirements", "version__signature", "version__flavours")


class Deployment(StatefulModel):
    """One version put on an endpoint: from asked for, through its rollout, to retired."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        LEASED = "leased", "Preparing"
        STARTING = "starting", "Starting"
        HEALTH_CHECK = "health_check", "Health check"
        ROLLING_OUT = "rolling_out", "Rolling out"
        LIVE = "live", "Live"
        STANDBY = "standby", "Standby"
        ROLLING_BACK = "rolling_back", "Rolling back"
        ROLLED_BACK = "rolled_back", "Rolled back"
        RETIRED = "retired", "Retired"
        FAILED = "failed", "Failed"
        ABORTED = "aborted", "Aborted"

    class Slot(models.TextChoices):
        STABLE = "stable", "Stable"
        CANARY = "canary", "Canary"
        SHADOW = "shadow", "Shadow"

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.QUEUED: {Status.LEASED, Status.FAILED, Status.ABORTED},
        Status.LEASED: {Status.QUEUED, Status.STARTING, Status.FAILED, Status.ABORTED},
        Status.STARTING: {Status.HEALTH_CHECK, Status.FAILED, Status.ABORTED},
        Status.HEALTH_CHECK: {Status.ROLLING_OUT, Status.FAILED, Status.ABORTED},
        Status.ROLLING_OUT: {Status.LIVE, Status.ROLLING_BACK, Status.FAILED, Status.ABORTED},
        Status.ROLLING_BACK: {Status.ROLLED_BACK},
        Status.LIVE: {Status.STANDBY, Status.ROLLED_BACK, Status.RETIRED},
        Status.STANDBY: {Status.LIVE, Status.RETIRED},
    }
    IN_FLIGHT = ("leased", "starting", "health_check", "rolling_out", "rolling_back")
    BEFORE_LIVE = ("queued", "leased", "starting", "health_check", "rolling_out")
    SERVED = ("starting", "health_check", "rolling_out", "rolling_back", "live", "standby")
    OVER = ("rolled_back", "retired", "failed", "aborted")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="deployments")
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.PROTECT, related_name="deployments")
    digest = models.CharField(max_length=64)
    is_protected = models.BooleanField(default=True)
    clearance = models.OneToOneField(
        Clearance, on_delete=models.PROTECT, null=True, related_name="deployment"
    )
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    slot = models.CharField(max_length=6, choices=Slot.choices, blank=True, default=NO_SLOT)
    fence = models.PositiveBigIntegerField(default=0)
    rollout = models.JSONField(default=dict)
    step_index = models.PositiveSmallIntegerField(default=0)
    step_started_at = models.DateTimeField(null=True)
    weight = models.PositiveSmallIntegerField(default=0)
    analysis = models.JSONField(default=dict)
    paused_at = models.DateTimeField(null=True)
    paused_because = models.CharField(max_length=500, blank=True, default="")
    is_inconclusive = models.BooleanField(default=False)
    is_rollback = models.BooleanField(default=False)
    replaces = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    failure_code = models.CharField(max_length=40, blank=True, default="")
    failure = models.TextField(blank=True, default="")
    reason = models.TextField(blank=True, default="")
    rev = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    created_by_name = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    live_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=Q(slot="stable"), name="one_stable_deployment_per_endpoint"
            ),
            models.UniqueConstraint(
                fields=["endpoint"],
                condition=Q(status__in=["leased", "starting", "health_check", "rolling_out", "rolling_back"]),
                name="one_rollout_per_endpoint",
            ),
            models.CheckConstraint(
                condition=Q(is_protected=False) | Q(clearance__isnull=False),
                name="protected_deployment_needs_a_clearance",
            ),
            models.CheckConstraint(
                condition=Q(slot="stable", status="live") | ~Q(slot="stable") & ~Q(status="live"),
                name="live_is_stable_and_nothing_else_is",
            ),
            models.CheckConstraint(condition=Q(weight__lte=100), name="traffic_share_is_at_most_100_percent"),
            models.CheckConstraint(
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="deployment_names_a_digest"
            ),
        ]
        indexes = [
            models.Index(F("created_at").desc(), name="deployment_newest_first"),
            models.Index("endpoint", F("created_at").desc(), name="deployment_of_endpoint"),
            models.Index("status", name="deployment_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.version} in {self.endpoint.environment.name}"

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The rollout's steps; the last one has weight 100."""
        return list(self.rollout.get("steps", []))

    @property
    def shadows_former(self) -> bool:
        """Whether the version this one replaces goes on as its shadow."""
        return bool(self.rollout.get("shadow_former"))

    @property
    def is_over(self) -> bool:
        return self.status in self.OVER

    @property
    def is_in_flight(self) -> bool:
        return self.status in self.IN_FLIGHT

    @property
    def is_paused(self) -> bool:
        return self.status == self.Status.ROLLING_OUT and self.paused_at is not None

    @property
    def look(self) -> str:
        """The status as ``pill`` draws it."""
        return "paused" if self.is_paused else self.status

    @property
    def status_words(self) -> str:
        """The status as people say it."""
        if self.is_paused:
            return "Paused"
        if self.status == self.Status.STANDBY and self.slot == self.Slot.SHADOW:
            return "Standby, in shadow"
        return str(self.get_status_display())

    def is_granted_to(self, actor: Actor, right: str) -> bool:
        return self.endpoint.model.is_granted_to(actor, right)


class TransitionQuerySet(models.QuerySet["Transition"]):
    def live_at(self, moment: datetime) -> TransitionQuerySet:
        """The newest change of each endpoint's live version up to a moment."""
        return (
            self.filter(at__lte=moment, changes_live=True)
            .order_by("deployment__endpoint", "-at", "-id")
            .distinct("deployment__endpoint")
        )


class Transition(models.Model):
    """A deployment changed status, weight or slot: its history as people read it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="transitions")
    status = models.CharField(max_length=12, choices=Deployment.Status.choices)
    slot = models.CharField(max_length=6, blank=True, default="")
    weight = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveBigIntegerField(default=0)
    changes_live = models.BooleanField(default=False)
    by_name = models.CharField(max_length=150, blank=True, default="")
    note = models.CharField(max_length=1000, blank=True, default="")
    at = models.DateTimeField(db_default=Now())

    objects = TransitionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index("deployment", "at", name="transition_of_deployment")]

    def __str__(self) -> str:
        return f"{self.deployment_id} {self.status}"
