"""Jobs as JSON."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.jobs.models import Job


class SubjectSerializer(serializers.Serializer):
    type = serializers.CharField()
    id = serializers.CharField()


class JobInListSerializer(serializers.ModelSerializer):
    subject = serializers.SerializerMethodField()
    model = serializers.CharField(source="model_name", allow_blank=True)
    step = serializers.CharField(source="progress_step", allow_blank=True)
    requested_by = serializers.CharField(source="requested_by_name", allow_blank=True)

    class Meta:
        model = Job
        fields: tuple[str, ...] = (
            "id", "kind", "status", "progress_percent", "step", "failure", "subject", "model", "queue",
            "attempt", "max_attempts", "requested_by", "request_id", "created_at", "started_at", "finished_at",
            "cancel_requested_at",
        )  # fmt: skip

    @extend_schema_field(SubjectSerializer(allow_null=True))
    def get_subject(self, job: Job) -> dict[str, str] | None:
        return {"type": job.subject_type, "id": job.subject_id} if job.subject_type else None


class JobSerializer(JobInListSerializer):
    outcome = serializers.JSONField(source="result", allow_null=True)
    log_tail = serializers.ListField(child=serializers.CharField())

    class Meta(JobInListSerializer.Meta):
        fields = (
            *JobInListSerializer.Meta.fields, "outcome", "log_tail", "cpu_seconds", "peak_memory_bytes",
        )  # fmt: skip
