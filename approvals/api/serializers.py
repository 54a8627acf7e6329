"""Requests, decisions and policies as JSON; writing goes through the services alone."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from approvals.models import Decision, GateResult, Policy, PolicyRevision, PromotionRequest
from approvals.services import lacking
from approvals.telling import gates_for
from core.api.fields import Body, TextField
from registry.lineage import sees_all_data


class RequestInListSerializer(serializers.ModelSerializer):
    model = serializers.CharField(source="version.model.name", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    environment = serializers.CharField(source="environment.name", read_only=True)
    requested_by = serializers.CharField(source="requested_by.username", read_only=True)
    revision = serializers.IntegerField(source="rev", read_only=True)
    state = serializers.CharField(source="word", read_only=True)
    policy = serializers.CharField(source="policy_revision.__str__", read_only=True)
    address = serializers.SerializerMethodField()

    class Meta:
        model = PromotionRequest
        fields = (
            "id", "model", "version", "environment", "status", "state", "revision", "digest", "evidence_sha256",
            "policy", "why", "known_limits", "requested_by", "created_at", "expires_at", "decided_at", "failure",
            "address",
        )  # fmt: skip

    def get_address(self, promotion: PromotionRequest) -> str:
        return f"{settings.PUBLIC_URL}{promotion.address}"


class GateResultSerializer(serializers.ModelSerializer):
    class Meta:
        model = GateResult
        fields = ("gate", "type", "mode", "outcome", "title", "rule", "observed", "judged_at")


class DecisionSerializer(serializers.ModelSerializer):
    by = serializers.CharField(source="by.username", read_only=True)

    class Meta:
        model = Decision
        fields = (
            "id", "by", "role", "verdict", "rev", "evidence_sha256", "reason", "meaning", "signature_sha256",
            "event_id", "signed_at", "voided_at", "void_reason",
        )  # fmt: skip


class RequestSerializer(RequestInListSerializer):
    champion = serializers.IntegerField(source="champion.number", default=None, read_only=True)
    gates = serializers.SerializerMethodField()
    decisions = DecisionSerializer(many=True, read_only=True)
    lacking = serializers.SerializerMethodField()
    evaluation = serializers.UUIDField(source="evaluation_id", read_only=True, allow_null=True)
    deployment = serializers.UUIDField(source="deployment_id", read_only=True, allow_null=True)

    class Meta(RequestInListSerializer.Meta):
        fields = (
            *RequestInListSerializer.Meta.fields,
            "champion", "evaluation", "deployment", "gates", "decisions", "lacking",
        )  # fmt: skip

    @extend_schema_field(GateResultSerializer(many=True))
    def get_gates(self, promotion: PromotionRequest) -> list[dict[str, Any]]:
        found = promotion.gate_results.filter(rev=promotion.rev).order_by("pk")
        is_seen = sees_all_data(self.context["request"].actor, promotion.version_id)
        return list(GateResultSerializer(gates_for(found, is_data_seen=is_seen), many=True).data)

    def get_lacking(self, promotion: PromotionRequest) -> dict[str, int]:
        """How many people each role still has to bring."""
        return lacking(promotion)


class NewRequestSerializer(Body):
    model = TextField(max_length=1024, trim_whitespace=False)
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    environment = TextField(max_length=40, default="production")
    why = TextField(max_length=5000, trim_whitespace=False)
    known_limits = TextField(max_length=5000, required=False, allow_blank=True, trim_whitespace=False)


class ChangedRequestSerializer(Body):
    why = TextField(max_length=5000, required=False, trim_whitespace=False)
    known_limits = TextField(max_length=5000, required=False, allow_blank=True, trim_whitespace=False)


class SignatureSerializer(Body):
    reason = TextField(max_length=5000, trim_whitespace=False)
    meaning = TextField(max_length=200, required=False)
    password = TextField(max_length=1000, required=False, default="", trim_whitespace=False)


@extend_schema_serializer(component_name="WithdrawalReason")
class ReasonSerializer(Body):
    reason = TextField(max_length=2000, min_length=3, trim_whitespace=False)


class RevisionSerializer(serializers.ModelSerializer):
    class Meta:
        model = PolicyRevision
        fields = ("number", "sha256", "text", "document", "reason", "created_by_name", "created_at")


class PolicySerializer(serializers.ModelSerializer):
    environment = serializers.CharField(source="environment.name", read_only=True)
    current = serializers.SerializerMethodField()

    class Meta:
        model = Policy
        fields = ("name", "environment", "is_active", "created_at", "current")

    @extend_schema_field(RevisionSerializer)
    def get_current(self, policy: Policy) -> dict[str, Any] | None:
        revision = policy.current()
        return dict(RevisionSerializer(revision).data) if revision else None
