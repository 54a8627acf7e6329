"""Endpoints and deployments as JSON; writing goes through the services alone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from core.api.fields import Body, TextField
from deployments.models import Clearance, Deployment, Endpoint, Environment, LogSegment, Target


class EnvironmentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Environment
        fields = ("name", "is_protected", "alias", "description")


class TargetSerializer(serializers.ModelSerializer):
    class Meta:
        model = Target
        fields = ("name", "kind", "agent", "agent_seen_at", "sandbox")


class EndpointSerializer(serializers.ModelSerializer):
    model = serializers.CharField(source="model.name", read_only=True)
    environment = serializers.CharField(source="environment.name", read_only=True)
    target = serializers.CharField(source="target.name", read_only=True)
    address = serializers.SerializerMethodField()
    live_version = serializers.IntegerField(source="live.version.number", default=None, read_only=True)
    live_deployment = serializers.UUIDField(source="live_id", read_only=True, allow_null=True)

    class Meta:
        model = Endpoint
        fields = (
            "id",
            "model",
            "environment",
            "target",
            "address",
            "live_version",
            "live_deployment",
            "event_time_column",
            "fence",
            "created_at",
        )

    def get_address(self, endpoint: Endpoint) -> str:
        return f"{settings.GATEWAY_URL}{endpoint.path}"


class NewEndpointSerializer(Body):
    model = TextField(max_length=1024, trim_whitespace=False)
    environment = TextField(max_length=40)
    event_time_column = TextField(required=False, allow_blank=True, max_length=200)


class ChangedEndpointSerializer(Body):
    event_time_column = TextField(allow_blank=True, max_length=200)


class ClearanceSerializer(serializers.ModelSerializer):
    class Meta:
        model = Clearance
        fields = (
            "id",
            "kind",
            "evidence_sha256",
            "reference",
            "reason",
            "granted_by_name",
            "granted_at",
            "expires_at",
        )


class DeploymentSerializer(serializers.ModelSerializer):
    model = serializers.CharField(source="endpoint.model.name", read_only=True)
    environment = serializers.CharField(source="endpoint.environment.name", read_only=True)
    endpoint = serializers.UUIDField(source="endpoint_id", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    replaces_version = serializers.IntegerField(
        source="replaces.version.number", default=None, read_only=True
    )
    is_paused = serializers.BooleanField(read_only=True)
    revision = serializers.IntegerField(source="rev", read_only=True)

    class Meta:
        model = Deployment
        fields: tuple[str, ...] = (
            "id",
            "model",
            "environment",
            "endpoint",
            "version",
            "digest",
            "status",
            "slot",
            "weight",
            "is_paused",
            "paused_because",
            "rollout",
            "step_index",
            "step_started_at",
            "analysis",
            "replaces_version",
            "is_rollback",
            "failure_code",
            "failure",
            "reason",
            "fence",
            "revision",
            "created_by_name",
            "created_at",
            "started_at",
            "live_at",
            "ended_at",
        )


class DeploymentInFullSerializer(DeploymentSerializer):
    clearance = ClearanceSerializer(read_only=True)
    scorer = serializers.SerializerMethodField()
    history = serializers.SerializerMethodField()

    class Meta(DeploymentSerializer.Meta):
        fields = (*DeploymentSerializer.Meta.fields, "clearance", "scorer", "history")

    def get_scorer(self, deployment: Deployment) -> dict[str, Any] | None:
        scorer = getattr(deployment, "scorer", None)
        if scorer is None:
            return None
        names = ("status", "sandbox", "restarts", "memory_bytes", "cpu_seconds", "failure_code", "failure")
        return {name: getattr(scorer, name) for name in names}

    def get_history(self, deployment: Deployment) -> list[dict[str, Any]]:
        rows = deployment.transitions.order_by("at", "id")
        return list(rows.values("status", "slot", "weight", "fence", "by_name", "note", "at"))


class NewDeploymentSerializer(Body):
    model = TextField(max_length=1024, trim_whitespace=False)
    version = serializers.IntegerField(min_value=1, max_value=2_147_483_647)
    environment = TextField(max_length=40)
    rollout = serializers.JSONField(required=False)
    reason = TextField(required=False, allow_blank=True, max_length=2000)


@extend_schema_serializer(component_name="OptionalReason")
class ReasonSerializer(Body):
    reason = TextField(required=False, allow_blank=True, max_length=2000)


class NeededReasonSerializer(Body):
    reason = TextField(max_length=2000)


class RollbackSerializer(Body):
    """To a deployment, or to the newest one of a version that was live here."""

    deployment = serializers.UUIDField(required=False)
    version = serializers.IntegerField(required=False, min_value=1, max_value=2_147_483_647)
    reason = TextField(max_length=2000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("deployment" in attrs) == ("version" in attrs):
            raise serializers.ValidationError({"deployment": "Name either a deployment or a version."})
        return attrs


class SegmentSerializer(serializers.ModelSerializer):
    deployment = serializers.UUIDField(source="deployment_id", read_only=True)
    version = serializers.IntegerField(source="deployment.version.number", read_only=True)
    address = serializers.SerializerMethodField()

    class Meta:
        model = LogSegment
        fields = (
            "id",
            "deployment",
            "version",
            "slot",
            "rows",
            "requests",
            "failed",
            "refused",
            "served_from",
            "served_to",
            "event_from",
            "event_to",
            "sha256",
            "size",
            "sealed_at",
            "address",
        )

    def get_address(self, segment: LogSegment) -> str:
        return f"/api/v1/endpoints/{segment.endpoint_id}/predictions/{segment.pk}"
