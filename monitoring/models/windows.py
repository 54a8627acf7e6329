"""Windows: everything pages, alerts and exports read. Computing a window again replaces it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from monitoring.models.watches import Watch


class Role(models.TextChoices):
    """Whether rows were answers people got, or a shadow's that nobody waited for."""

    SERVED = "served", "Served"
    SHADOW = "shadow", "Shadow"


class Granularity(models.TextChoices):
    """How long a window is. A deployment window holds every row of a version with labels."""

    MINUTE = "minute", "Minute"
    HOUR = "hour", "Hour"
    DAY = "day", "Day"
    WEEK = "week", "Week"
    DEPLOYMENT = "deployment", "Since first served"


class Level(models.TextChoices):
    """What a drift window says."""

    NONE = "none", "No rows"
    FEW = "few", "Too few rows"
    STABLE = "stable", "Stable"
    WARN = "warn", "Warning"
    ALERT = "alert", "Alert"


class FeatureWindow(models.Model):
    """One input, or the prediction itself, in one day or week of event time.

    ``psi`` is against the version's training reference; ``noise`` is what it would be on
    average without any drift; ``bars`` are counts on the reference's bars for drawing.
    """

    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="feature_windows")
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=6, choices=Role.choices)
    granularity = models.CharField(max_length=10, choices=Granularity.choices)
    starts_on = models.DateField()
    feature = models.CharField(max_length=300)
    is_prediction = models.BooleanField(default=False)
    rows = models.PositiveBigIntegerField()
    missing = models.PositiveBigIntegerField(default=0)
    unexpected = models.PositiveBigIntegerField(default=0)
    psi = models.FloatField(null=True)
    noise = models.FloatField(null=True)
    level = models.CharField(max_length=6, choices=Level.choices)
    low = models.FloatField(null=True)
    median = models.FloatField(null=True)
    high = models.FloatField(null=True)
    distinct = models.PositiveBigIntegerField(default=0)
    bars = models.JSONField(default=list)
    examples = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["watch", "version", "role", "granularity", "starts_on", "feature", "is_prediction"],
                name="one_feature_window",
            )
        ]

    def __str__(self) -> str:
        return f"{self.feature} {self.granularity} {self.starts_on}"


class QualityWindow(models.Model):
    """How good predictions were, on the rows whose labels have come.

    ``metrics`` holds an interval per metric; with a shadow on the same rows, ``comparison``
    holds both models' metrics on the rows they share, and the difference (served minus shadow).
    """

    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="quality_windows")
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=6, choices=Role.choices)
    granularity = models.CharField(max_length=10, choices=Granularity.choices)
    starts_on = models.DateField()
    ends_on = models.DateField()
    predictions = models.PositiveBigIntegerField()
    rows = models.PositiveBigIntegerField()
    positives = models.PositiveBigIntegerField(default=0)
    metrics = models.JSONField(default=dict)
    against = models.ForeignKey(
        "registry.ModelVersion", on_delete=models.PROTECT, null=True, related_name="+"
    )
    comparison = models.JSONField(default=dict)
    reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["watch", "version", "role", "granularity", "starts_on"], name="one_quality_window"
            ),
            models.CheckConstraint(
                condition=Q(rows__lte=models.F("predictions")), name="labelled_rows_were_predicted"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.granularity} {self.starts_on}"


class LabelDay(models.Model):
    """How many of a day's predictions have a label, and how many days after the event they came.

    ``delays`` maps whole days of delay (as text) to labels.
    """

    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="label_days")
    day = models.DateField()
    predictions = models.PositiveBigIntegerField()
    labelled = models.PositiveBigIntegerField()
    delays = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["watch", "day"], name="one_label_count_per_day")]

    def __str__(self) -> str:
        return f"{self.watch_id} {self.day}"


class HealthWindow(models.Model):
    """Requests, errors and latency in a minute or hour of the time they were served.

    ``latency`` is a mergeable histogram (measures.latency).
    """

    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="health_windows")
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=6, choices=Role.choices)
    granularity = models.CharField(max_length=10, choices=Granularity.choices)
    starts_at = models.DateTimeField()
    requests = models.PositiveBigIntegerField()
    rows = models.PositiveBigIntegerField()
    errors = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    latency = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["watch", "granularity", "starts_at", "version", "role"], name="one_health_window"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.starts_at:%Y-%m-%d %H:%M}"


class DataIssue(models.Model):
    """An input was missing, out of range, unknown or refused on days in a row."""

    class Kind(models.TextChoices):
        MISSING = "missing", "Missing"
        OUT_OF_RANGE = "out_of_range", "Out of range"
        UNSEEN = "unseen", "Unseen category"
        REFUSED = "refused", "Refused"

    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="issues")
    version = models.ForeignKey("registry.ModelVersion", on_delete=models.PROTECT, related_name="+")
    feature = models.CharField(max_length=300)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    first_day = models.DateField()
    last_day = models.DateField()
    rows = models.PositiveBigIntegerField()
    affected = models.PositiveBigIntegerField()
    usual_share = models.FloatField(default=0)
    is_open = models.BooleanField(default=True)
    details = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["watch", "version", "feature", "kind", "first_day"], name="one_issue_per_first_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.feature}"

    @property
    def share(self) -> float:
        return self.affected / self.rows if self.rows else 0.0
