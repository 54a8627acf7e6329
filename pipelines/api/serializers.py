"""What REST says of data sets and pipelines, and what it takes."""

from __future__ import annotations

from typing import Any

from django.utils.duration import duration_iso_string
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from core.api.fields import Body, TextField
from pipelines.models import (
    ContractCheck,
    DataContract,
    Dataset,
    DatasetQuery,
    DatasetVersion,
    FreshnessAlarm,
    Pipeline,
    PipelineRun,
    VersionReference,
)
from pipelines.recipes import recipe_of


class IntervalField(serializers.DurationField):
    """An ISO 8601 duration, read and written."""

    default_error_messages = {"invalid": "Must be an ISO 8601 duration, as P1D or PT6H."}


class DatasetSerializer(serializers.ModelSerializer):
    """Of data sets read ``with_freshness``."""

    expected_every = serializers.SerializerMethodField()
    freshness = serializers.SerializerMethodField()
    owner = serializers.CharField(source="owner.name", default=None, allow_null=True)
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = Dataset
        fields = (
            "name",
            "description",
            "owner",
            "event_time_column",
            "time_zone",
            "key_columns",
            "label_column",
            "expected_every",
            "freshness_clock",
            "freshness",
            "created_by",
            "created_at",
        )

    def get_expected_every(self, dataset: Dataset) -> str | None:
        return duration_iso_string(dataset.expected_every) if dataset.expected_every else None

    def get_freshness(self, dataset: Dataset) -> dict[str, Any]:
        """Both clocks, and whether the one that counts is late."""
        now = dataset.freshness
        return {
            "follows": now.follows,
            "watermark": now.watermark,
            "arrived_at": now.arrived_at,
            "due_at": now.due_at,
            "is_late": now.is_late,
        }


class NewDatasetSerializer(Body):
    name = TextField(max_length=1000)
    description = TextField(max_length=10_000, required=False, allow_blank=True, default="")
    event_time_column = TextField(max_length=1000, required=False, allow_blank=True, default="")
    time_zone = TextField(max_length=1000, required=False, default="UTC")
    key_columns = serializers.ListField(child=TextField(max_length=1000), required=False, default=list)
    label_column = TextField(max_length=1000, required=False, allow_blank=True, default="")


class ChangedDatasetSerializer(Body):
    description = TextField(max_length=10_000, required=False, allow_blank=True)
    label_column = TextField(max_length=1000, required=False, allow_blank=True)
    expected_every = IntervalField(
        required=False, allow_null=True, help_text="ISO 8601, as P1D or PT6H; null: nothing is expected."
    )
    freshness_clock = serializers.ChoiceField(choices=Dataset.Clock.choices, required=False)


class AlarmSerializer(serializers.ModelSerializer):
    class Meta:
        model = FreshnessAlarm
        fields = (
            "id",
            "clock",
            "finding",
            "reached",
            "due_at",
            "raised_at",
            "cleared_at",
            "cleared_because",
        )


class DatasetVersionInListSerializer(serializers.ModelSerializer):
    dataset = serializers.CharField(source="dataset.name")
    version = serializers.IntegerField(source="number")
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = DatasetVersion
        fields: tuple[str, ...] = (
            "id",
            "dataset",
            "version",
            "label",
            "description",
            "status",
            "failure",
            "digest",
            "size",
            "rows",
            "event_time_from",
            "event_time_to",
            "source_format",
            "source_name",
            "quarantine_reason",
            "created_by",
            "created_at",
            "ready_at",
        )


class DatasetVersionSerializer(DatasetVersionInListSerializer):
    parents = serializers.SerializerMethodField()
    check = serializers.SerializerMethodField()

    class Meta(DatasetVersionInListSerializer.Meta):
        fields = (
            *DatasetVersionInListSerializer.Meta.fields,
            "schema",
            "profile",
            "derivation",
            "parents",
            "check",
        )

    def get_parents(self, version: DatasetVersion) -> list[str]:
        return [str(each) for each in version.parents.select_related("dataset")]

    def get_check(self, version: DatasetVersion) -> dict[str, Any] | None:
        check = ContractCheck.objects.last_of(version)
        return dict(CheckSerializer(check).data) if check else None


@extend_schema_serializer(component_name="NewDatasetVersion")
class NewVersionSerializer(Body):
    file = serializers.FileField(allow_empty_file=True)
    label = TextField(max_length=1000, required=False, allow_blank=True, default="")
    description = TextField(max_length=10_000, required=False, allow_blank=True, default="")


class QuerySerializer(serializers.ModelSerializer):
    dataset = serializers.CharField(source="dataset.name")
    query = serializers.SerializerMethodField()
    prefix = serializers.SerializerMethodField()
    objects = serializers.JSONField(source="objects_read")
    version = serializers.IntegerField(source="version.number", default=None, allow_null=True)
    requested_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True)

    class Meta:
        model = DatasetQuery
        fields = (
            "id",
            "dataset",
            "source",
            "kind",
            "query",
            "prefix",
            "objects",
            "label",
            "status",
            "version",
            "failure",
            "requested_by",
            "requested_at",
            "finished_at",
        )

    def get_query(self, query: DatasetQuery) -> str | None:
        return None if query.is_s3 else query.query

    def get_prefix(self, query: DatasetQuery) -> str | None:
        return query.query if query.is_s3 else None


class NewQuerySerializer(Body):
    source = TextField(max_length=1000, help_text="The name of a source that was granted to you.")
    query = TextField(
        max_length=100_000, required=False, allow_blank=True, default="", help_text="Of a database."
    )
    prefix = TextField(
        max_length=10_000,
        required=False,
        allow_blank=True,
        default="",
        help_text="Of an S3 source, below its own prefix; empty means all of it.",
    )
    label = TextField(max_length=1000, required=False, allow_blank=True, default="")


class ReferenceSerializer(serializers.ModelSerializer):
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = VersionReference
        fields = ("digest", "source", "created_by", "created_at")


class NewReferenceSerializer(Body):
    digest = TextField(max_length=1000, help_text="As MLflow shows it for the data set input.")
    source = TextField(max_length=1000, required=False, allow_blank=True, default="")


@extend_schema_serializer(component_name="QuarantineReason")
class ReasonSerializer(Body):
    reason = TextField(max_length=2000)


class ContractSerializer(serializers.ModelSerializer):
    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True)

    class Meta:
        model = DataContract
        fields: tuple[str, ...] = ("revision", "document", "digest", "reason", "created_by", "created_at")


class ContractInListSerializer(ContractSerializer):
    class Meta(ContractSerializer.Meta):
        fields = ("revision", "digest", "reason", "created_by", "created_at")


class NewContractSerializer(Body):
    document = serializers.JSONField(help_text="The contract as an object, or as YAML text.")
    reason = TextField(max_length=2000, required=False, allow_blank=True, default="")


class StandardContractSerializer(Body):
    document = serializers.JSONField(help_text="An Open Data Contract Standard document, or its YAML text.")
    table = TextField(max_length=1000, required=False, allow_blank=True, default="")
    reason = TextField(max_length=2000, required=False, allow_blank=True, default="")
    dry_run = serializers.BooleanField(required=False, default=False)


class CheckSerializer(serializers.ModelSerializer):
    version = serializers.IntegerField(source="version.number")
    revision = serializers.IntegerField(source="contract.revision")

    class Meta:
        model = ContractCheck
        fields = ("id", "version", "revision", "status", "results", "checked_at")


class NewCheckSerializer(Body):
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class PipelineSerializer(serializers.ModelSerializer):
    parameters = serializers.SerializerMethodField()

    class Meta:
        model = Pipeline
        fields = ("name", "description", "parameters")

    def get_parameters(self, pipeline: Pipeline) -> list[dict[str, Any]]:
        return [
            {
                "name": each.name,
                "kind": each.kind,
                "description": each.words,
                "default": each.default,
                "required": each.is_required,
                "allowed": each.allowed(),
            }
            for each in recipe_of(pipeline.recipe).parameters
        ]


class RunInListSerializer(serializers.ModelSerializer):
    pipeline = serializers.CharField(source="pipeline.name")
    job = serializers.SerializerMethodField()
    started_by = serializers.CharField(source="started_by.username", default=None, allow_null=True)

    class Meta:
        model = PipelineRun
        fields: tuple[str, ...] = (
            "id",
            "pipeline",
            "status",
            "parameters",
            "result",
            "failure",
            "mlflow_run_id",
            "code_commit",
            "job",
            "started_by",
            "created_at",
            "started_at",
            "finished_at",
        )

    def get_job(self, run: PipelineRun) -> str | None:
        return f"/api/v1/jobs/{run.job_id}" if run.job_id else None


class RunSerializer(RunInListSerializer):
    datasets = serializers.SerializerMethodField()

    class Meta(RunInListSerializer.Meta):
        fields = (*RunInListSerializer.Meta.fields, "environment", "datasets", "log")

    def get_datasets(self, run: PipelineRun) -> list[dict[str, Any]]:
        uses = run.datasets.select_related("version__dataset").order_by("role", "version__number")
        return [
            {
                "role": use.role,
                "dataset": use.version.dataset.name,
                "version": use.version.number,
                "label": use.version.label,
                "digest": use.version.digest or use.version.source_digest,
            }
            for use in uses
        ]


class NewRunSerializer(Body):
    parameters = serializers.JSONField(required=False, default=dict)
