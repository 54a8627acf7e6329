"""Alert rules, the alerts they raise, and the incidents people work on."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from core.actors import Actor
from core.identifiers import new_id
from core.states import StatefulModel
from registry.models import RegisteredModel


class Metric(models.TextChoices):
    """What a rule may watch, window by window."""

    ROC_AUC = "roc_auc", "ROC AUC"
    PR_AUC = "pr_auc", "PR AUC"
    BRIER = "brier", "Brier score"
    LOG_LOSS = "log_loss", "Log loss"
    PSI = "psi", "PSI"
    MISSING_SHARE = "missing_share", "Missing share"
    LATENCY_P95_MS = "latency_p95_ms", "Latency p95"
    ERROR_RATE = "error_rate", "Error rate"


QUALITY_METRICS = frozenset({Metric.ROC_AUC, Metric.PR_AUC, Metric.BRIER, Metric.LOG_LOSS})
FEATURE_METRICS = frozenset({Metric.PSI, Metric.MISSING_SHARE})
HEALTH_METRICS = frozenset({Metric.LATENCY_P95_MS, Metric.ERROR_RATE})


class AlertRuleQuerySet(models.QuerySet["AlertRule"]):
    def visible_to(self, actor: Actor) -> AlertRuleQuerySet:
        return self.filter(endpoint__model__in=RegisteredModel.objects.visible_to(actor))

    def in_force(self) -> AlertRuleQuerySet:
        return self.filter(retired_at__isnull=True, is_enabled=True)


class AlertRule(models.Model):
    """A metric of what an endpoint serves, against a limit or its shadow, for windows in a row.

    ``limit`` is the value that must not be crossed; against the shadow it is the difference
    (served minus shadow) that must not be crossed, on the rows both scored.
    """

    class Against(models.TextChoices):
        LIMIT = "limit", "A limit"
        SHADOW = "shadow", "The shadow on the same rows"

    class Direction(models.TextChoices):
        BELOW = "below", "Below"
        ABOVE = "above", "Above"

    class Window(models.TextChoices):
        DAY = "day", "Day"
        WEEK = "week", "Week"

    class Severity(models.TextChoices):
        WARNING = "warning", "Warning"
        CRITICAL = "critical", "Critical"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey("deployments.Endpoint", on_delete=models.CASCADE, related_name="alert_rules")
    name = models.CharField(max_length=200)
    metric = models.CharField(max_length=20, choices=Metric.choices)
    feature = models.CharField(max_length=300, blank=True, default="")
    against = models.CharField(max_length=6, choices=Against.choices, default=Against.LIMIT)
    direction = models.CharField(max_length=5, choices=Direction.choices)
    limit = models.FloatField()
    window = models.CharField(max_length=4, choices=Window.choices, default=Window.DAY)
    fire_after = models.PositiveSmallIntegerField(default=2)
    clear_after = models.PositiveSmallIntegerField(default=2)
    fewest_rows = models.PositiveIntegerField(default=200)
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.CRITICAL)
    opens_incident = models.BooleanField(default=True)
    is_enabled = models.BooleanField(default=True)
    rev = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    created_by_name = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True)

    objects = AlertRuleQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "name"], condition=Q(retired_at__isnull=True), name="one_rule_per_name"
            ),
            models.CheckConstraint(
                condition=Q(fire_after__gte=1, clear_after__gte=1), name="a_rule_waits_for_a_window"
            ),
            models.CheckConstraint(
                condition=Q(against="limit") | Q(metric__in=sorted(QUALITY_METRICS)),
                name="only_quality_is_compared_with_a_shadow",
            ),
        ]
        indexes = [models.Index(F("created_at").desc(), name="rule_newest_first")]

    def __str__(self) -> str:
        return self.name

    @property
    def sentence(self) -> str:
        """The rule as people read it."""
        what = self.get_metric_display() + (f" of {self.feature}" if self.feature else "")
        if self.metric in FEATURE_METRICS and not self.feature:
            what += " of any feature"
        size = self.get_window_display().lower()
        times = f"in {self.fire_after} {size}s in a row" if self.fire_after > 1 else f"in one {size}"
        if self.against == self.Against.SHADOW:
            margin = f" by more than {abs(self.limit):g}" if self.limit else ""
            return f"{what} is {self.direction} the shadow's on the same rows{margin}, {times}"
        return f"{what} is {self.direction} {self.limit:g}, {times}"


class AlertQuerySet(models.QuerySet["Alert"]):
    def visible_to(self, actor: Actor) -> AlertQuerySet:
        return self.filter(rule__endpoint__model__in=RegisteredModel.objects.visible_to(actor))

    def firing(self) -> AlertQuerySet:
        return self.filter(cleared_at__isnull=True)


class Alert(models.Model):
    """A rule fired for a version at a window; ``cleared_at`` once it fell silent again."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="alerts")
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.PROTECT, related_name="+")
    against = models.ForeignKey(
        "registry.ModelVersion", on_delete=models.PROTECT, null=True, related_name="+"
    )
    incident = models.ForeignKey("Incident", on_delete=models.PROTECT, null=True, related_name="alerts")
    finding = models.CharField(max_length=500)
    window_starts_on = models.DateField()
    windows = models.JSONField(default=list)
    fired_at = models.DateTimeField(db_default=Now())
    cleared_at = models.DateTimeField(null=True)
    cleared_because = models.CharField(max_length=300, blank=True, default="")

    objects = AlertQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "version", "window_starts_on"], name="a_rule_fires_once_per_window"
            ),
            models.UniqueConstraint(
                fields=["rule", "version"],
                condition=Q(cleared_at__isnull=True),
                name="one_firing_alert_per_rule",
            ),
        ]
        indexes = [models.Index(F("fired_at").desc(), name="alert_newest_first")]

    def __str__(self) -> str:
        return self.finding


class IncidentQuerySet(models.QuerySet["Incident"]):
    def visible_to(self, actor: Actor) -> IncidentQuerySet:
        return self.filter(model__in=RegisteredModel.objects.visible_to(actor))

    def open(self) -> IncidentQuerySet:
        """Not resolved yet."""
        return self.exclude(status=Incident.Status.RESOLVED)

    def in_lists(self) -> IncidentQuerySet:
        return self.select_related("model", "endpoint__environment", "version", "handler__person").defer(
            "version__manifest", "version__requirements", "version__signature", "version__flavours"
        )


class Incident(StatefulModel):
    """Something is wrong with a model in service; people see to it until it is resolved."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        RESOLVED = "resolved", "Resolved"

    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        Status.OPEN: {Status.ACKNOWLEDGED, Status.RESOLVED},
        Status.ACKNOWLEDGED: {Status.RESOLVED},
    }

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(max_length=500)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.OPEN)
    severity = models.CharField(max_length=8, choices=AlertRule.Severity.choices)
    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.PROTECT, related_name="incidents")
    endpoint = models.ForeignKey(
        "deployments.Endpoint", on_delete=models.PROTECT, null=True, related_name="incidents"
    )
    version = models.ForeignKey(
        "registry.ModelVersion", on_delete=models.PROTECT, null=True, related_name="+"
    )
    cause = models.CharField(max_length=40, default="alert")
    handler = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    rev = models.PositiveIntegerField(default=1)
    opened_at = models.DateTimeField(db_default=Now())
    acknowledged_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolution = models.TextField(blank=True, default="")

    objects = IncidentQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="resolved") | ~Q(resolution=""), name="a_resolved_incident_says_how"
            ),
            models.CheckConstraint(
                condition=~Q(status="acknowledged") | Q(acknowledged_at__isnull=False),
                name="an_acknowledged_incident_says_when",
            ),
        ]
        indexes = [
            models.Index(F("opened_at").desc(), name="incident_newest_first"),
            models.Index("model", name="incident_open", condition=~Q(status="resolved")),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.status != self.Status.RESOLVED

    def is_granted_to(self, actor: Actor, right: str) -> bool:
        return self.model.is_granted_to(actor, right)


class TimelineEntry(models.Model):
    """A line of an incident's timeline: never changed, never deleted."""

    class Kind(models.TextChoices):
        OPENED = "opened", "Opened"
        ALERT = "alert", "Alert"
        CLEARED = "cleared", "Cleared"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        COMMENT = "comment", "Comment"
        DEPLOYMENT = "deployment", "Deployment"
        ROLLED_BACK = "rolled_back", "Rolled back"
        RESOLVED = "resolved", "Resolved"
        POST_MORTEM = "post_mortem", "Post-mortem"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="timeline")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    text = models.TextField(blank=True, default="")
    key = models.CharField(max_length=200, blank=True, default="")
    by_name = models.CharField(max_length=150, blank=True, default="")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "key"], condition=~Q(key=""), name="one_timeline_entry_per_event"
            )
        ]
        indexes = [models.Index("incident", "at", name="timeline_of_incident")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.text[:80]}"


class PostMortem(models.Model):
    """What was learnt from an incident; every saved revision is kept as its own row."""

    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="post_mortems")
    revision = models.PositiveIntegerField()
    summary = models.TextField()
    impact = models.TextField()
    cause = models.TextField()
    what_we_changed = models.TextField(blank=True, default="")
    follow_ups = models.TextField(blank=True, default="")
    written_by = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, null=True, related_name="+")
    written_by_name = models.CharField(max_length=150, blank=True, default="")
    written_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["incident", "revision"], name="post_mortem_revisions_are_counted")
        ]

    def __str__(self) -> str:
        return f"post-mortem of {self.incident}, revision {self.revision}"

    def as_record(self) -> dict[str, Any]:
        """For the audit trail."""
        return {
            name: getattr(self, name)
            for name in ("summary", "impact", "cause", "what_we_changed", "follow_ups")
        }
