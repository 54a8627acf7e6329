"""What REST shows of windows, rules, alerts, incidents and costs, field by field."""

from __future__ import annotations

from rest_framework import serializers

from core.api.fields import Body, TextField
from monitoring.costs.models import CostEntry, PriceRule
from monitoring.incidents.models import Alert, AlertRule, Incident, PostMortem, TimelineEntry
from monitoring.models import DataIssue, FeatureWindow, HealthWindow, LabelBatch, LabelDay, QualityWindow


class LabelBatchSerializer(serializers.ModelSerializer[LabelBatch]):
    """``unknown`` is null until a worker has looked; unknown labels are tried again later."""

    class Meta:
        model = LabelBatch
        fields = [
            "id", "received", "repeated", "corrected", "unknown", "unknown_examples", "received_by_name",
            "received_at", "matched_at",
        ]  # fmt: skip


class GivenLabelSerializer(serializers.Serializer):
    """For the schema: services.checked_labels checks the list."""

    prediction_id = TextField()
    label = serializers.FloatField()
    observed_at = serializers.DateTimeField(required=False)


class FeatureWindowSerializer(serializers.ModelSerializer[FeatureWindow]):
    version = serializers.IntegerField(source="version.number")

    class Meta:
        model = FeatureWindow
        fields = [
            "version", "role", "granularity", "starts_on", "feature", "is_prediction", "rows", "missing",
            "unexpected", "psi", "noise", "level", "low", "median", "high", "distinct", "examples",
        ]  # fmt: skip


class QualityWindowSerializer(serializers.ModelSerializer[QualityWindow]):
    version = serializers.IntegerField(source="version.number")
    against = serializers.IntegerField(source="against.number", default=None)

    class Meta:
        model = QualityWindow
        fields = [
            "version", "role", "granularity", "starts_on", "ends_on", "predictions", "rows", "positives",
            "metrics", "against", "comparison", "reason",
        ]  # fmt: skip


class LabelDaySerializer(serializers.ModelSerializer[LabelDay]):
    class Meta:
        model = LabelDay
        fields = ["day", "predictions", "labelled", "delays"]


class HealthWindowSerializer(serializers.ModelSerializer[HealthWindow]):
    version = serializers.IntegerField(source="version.number")

    class Meta:
        model = HealthWindow
        fields = [
            "version", "role", "granularity", "starts_at", "requests", "rows", "errors", "refused", "latency",
        ]  # fmt: skip


class DataIssueSerializer(serializers.ModelSerializer[DataIssue]):
    version = serializers.IntegerField(source="version.number")
    share = serializers.FloatField()

    class Meta:
        model = DataIssue
        fields = [
            "version", "feature", "kind", "first_day", "last_day", "rows", "affected", "share", "usual_share",
            "is_open", "details",
        ]  # fmt: skip


class AlertRuleSerializer(serializers.ModelSerializer[AlertRule]):
    model = serializers.CharField(source="endpoint.model.name")
    environment = serializers.CharField(source="endpoint.environment.name")
    sentence = TextField(read_only=True)

    class Meta:
        model = AlertRule
        fields = [
            "id", "model", "environment", "name", "sentence", "metric", "feature", "against", "direction",
            "limit", "window", "fire_after", "clear_after", "fewest_rows", "severity", "opens_incident",
            "is_enabled", "rev", "created_by_name", "created_at",
        ]  # fmt: skip
        read_only_fields = ["id", "rev", "created_by_name", "created_at"]


class AlertSerializer(serializers.ModelSerializer[Alert]):
    rule = serializers.UUIDField(source="rule_id")
    rule_name = serializers.CharField(source="rule.name")
    model = serializers.CharField(source="rule.endpoint.model.name")
    environment = serializers.CharField(source="rule.endpoint.environment.name")
    version = serializers.IntegerField(source="version.number")
    incident = serializers.UUIDField(source="incident_id", allow_null=True)

    class Meta:
        model = Alert
        fields = [
            "id", "rule", "rule_name", "model", "environment", "version", "finding", "window_starts_on",
            "windows", "incident", "fired_at", "cleared_at", "cleared_because",
        ]  # fmt: skip


class TimelineEntrySerializer(serializers.ModelSerializer[TimelineEntry]):
    class Meta:
        model = TimelineEntry
        fields = ["kind", "text", "by_name", "at"]


class PostMortemSerializer(serializers.ModelSerializer[PostMortem]):
    class Meta:
        model = PostMortem
        fields = [
            "revision", "summary", "impact", "cause", "what_we_changed", "follow_ups", "written_by_name",
            "written_at",
        ]  # fmt: skip
        read_only_fields = ["revision", "written_by_name", "written_at"]


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    model = serializers.CharField(source="model.name")
    environment = serializers.CharField(source="endpoint.environment.name", default=None)
    version = serializers.IntegerField(source="version.number", default=None)
    handler = serializers.CharField(source="handler.person.name", default=None)

    class Meta:
        model = Incident
        fields = [
            "id", "title", "status", "severity", "cause", "model", "environment", "version", "handler", "rev",
            "opened_at", "acknowledged_at", "resolved_at", "resolution",
        ]  # fmt: skip


class IncidentInFullSerializer(IncidentSerializer):
    """For the document: the view joins them."""

    alerts = AlertSerializer(many=True)
    timeline = TimelineEntrySerializer(many=True)

    class Meta(IncidentSerializer.Meta):
        fields = [*IncidentSerializer.Meta.fields, "alerts", "timeline"]


class ResolutionSerializer(Body):
    resolution = TextField()


class CommentSerializer(Body):
    text = TextField()


class PriceRuleSerializer(serializers.ModelSerializer[PriceRule]):
    unit = serializers.CharField(read_only=True)
    currency = serializers.SerializerMethodField()

    class Meta:
        model = PriceRule
        fields = [
            "id", "resource", "price_usd", "currency", "unit", "valid_from", "source", "is_default",
            "created_by_name", "created_at",
        ]  # fmt: skip
        read_only_fields = ["id", "is_default", "created_by_name", "created_at"]

    def get_currency(self, rule: PriceRule) -> str:
        return "USD"


class CostEntrySerializer(serializers.ModelSerializer[CostEntry]):
    model = serializers.CharField(source="model.name", default=None)
    version = serializers.IntegerField(source="version.number", default=None)
    unit = serializers.CharField(source="rule.unit")
    currency = serializers.SerializerMethodField()

    class Meta:
        model = CostEntry
        fields = [
            "id", "day", "model", "version", "activity", "detail", "resource", "quantity", "unit",
            "price_usd", "amount_usd", "currency",
        ]  # fmt: skip

    def get_currency(self, entry: CostEntry) -> str:
        return "USD"
