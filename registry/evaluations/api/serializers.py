"""What REST says of evaluations, and what it takes."""

from __future__ import annotations

from rest_framework import serializers

from core.api.fields import Body, TextField
from registry.evaluations.models import Evaluation


class EvaluationSerializer(serializers.ModelSerializer):
    model = serializers.CharField(source="candidate.model.name")
    candidate = serializers.IntegerField(source="candidate.number")
    champion = serializers.IntegerField(source="champion.number", default=None, allow_null=True)
    dataset_version = serializers.SerializerMethodField(
        help_text="Null, as the digest and slices are empty, where you may not see the data set."
    )
    dataset_digest = serializers.SerializerMethodField()
    failure = serializers.CharField(source="said_failure")
    slices = serializers.JSONField(source="said_slices")

    class Meta:
        model = Evaluation
        fields = (
            "id",
            "model",
            "candidate",
            "champion",
            "dataset_version",
            "status",
            "failure",
            "candidate_digest",
            "champion_digest",
            "dataset_digest",
            "seed",
            "rows",
            "blocks",
            "holdout_kind",
            "comparison",
            "slices",
            "latency",
            "sandbox",
            "cpu_seconds_per_1000",
            "result_sha256",
            "requested_by_name",
            "created_at",
            "finished_at",
        )

    def get_dataset_version(self, evaluation: Evaluation) -> str | None:
        return str(evaluation.dataset_version) if evaluation.is_data_seen else None

    def get_dataset_digest(self, evaluation: Evaluation) -> str:
        return evaluation.dataset_digest if evaluation.is_data_seen else ""


class NewEvaluationSerializer(Body):
    model = TextField(max_length=1000)
    candidate = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    champion = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, required=False, allow_null=True, default=None
    )
    dataset = TextField(max_length=1000)
    dataset_version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
