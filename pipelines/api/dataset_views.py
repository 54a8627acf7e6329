"""REST: data sets, their versions, contract and checks."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.sight import require_sight
from core.api.items import item
from core.api.openapi import choice, text
from core.api.views import IdempotentPosts, etag_of, require_match
from core.errors import Invalid, NotAllowed
from core.jobs.models import Job
from pipelines import rights, services
from pipelines.api.serializers import (
    AlarmSerializer,
    ChangedDatasetSerializer,
    DatasetSerializer,
    DatasetVersionInListSerializer,
    DatasetVersionSerializer,
    NewDatasetSerializer,
    NewVersionSerializer,
    ReasonSerializer,
)
from pipelines.api.uploads import sent
from pipelines.impact import as_json, impact_of
from pipelines.lookups import find_dataset, find_dataset_version, one_of
from pipelines.models import Dataset, DatasetVersion, FreshnessAlarm
from pipelines.overview import STATES, narrowed
from pipelines.uploads import kept


def accepted(job: Job | None, body: dict[str, Any]) -> Response:
    """202: the work is a job, whose progress is at its address."""
    address = f"/api/v1/jobs/{job.pk}" if job else ""
    return Response(
        {**body, "job": address or None}, status=202, headers={"Location": address} if address else {}
    )


class DatasetViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/datasets`` and ``/datasets/{name}``."""

    serializer_class = DatasetSerializer
    query_parameters = (
        text("q", "Part of a name."),
        choice("state", STATES),
        choice("show", ["mine"]),
        choice("sort", ["-created_at", "created_at", "name", "-name"]),
    )

    def get_queryset(self) -> QuerySet[Dataset]:
        """``?q=``, ``?state=`` (late, failing, quarantined, unpromised) and ``?show=mine`` narrow."""
        require_sight(self.request.actor)
        actor, query = self.request.actor, self.request.query_params
        wanted = {
            "q": query.get("q", "")[:100],
            "state": one_of(query.get("state", ""), "state", STATES),
            "show": one_of(query.get("show", ""), "show", ("mine",)),
        }
        rows = narrowed(Dataset.objects.visible_to(actor), actor, wanted)
        return rows.with_freshness().select_related("owner", "created_by")

    @property
    def ordering(self) -> str:
        """``?sort=``: name, -name, created_at or -created_at; the newest first when left out."""
        sorts = ("-created_at", "created_at", "name", "-name")
        return one_of(self.request.query_params.get("sort", ""), "sort", sorts) or sorts[0]

    @extend_schema(request=NewDatasetSerializer, responses={201: DatasetSerializer})
    def create(self, request: Request) -> Response:
        new = NewDatasetSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        dataset = services.create_dataset(actor=request.actor, **new.validated_data)
        address = f"/api/v1/datasets/{dataset.name}"
        return self._answer(dataset, status=201, headers={"Location": address})

    @extend_schema(responses=DatasetSerializer)
    def retrieve(self, request: Request, name: str) -> Response:
        return self._answer(find_dataset(request, name))

    @extend_schema(request=ChangedDatasetSerializer, responses=DatasetSerializer)
    def partial_update(self, request: Request, name: str) -> Response:
        dataset = find_dataset(request, name)
        require_match(request, etag_of(dataset.pk, dataset.rev))
        change = ChangedDatasetSerializer(data=request.data)
        change.is_valid(raise_exception=True)
        row = services.update_dataset(
            actor=request.actor, dataset=dataset, expected_rev=dataset.rev, **change.validated_data
        )
        return self._answer(row)

    def _answer(self, dataset: Dataset, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        about = {"ETag": etag_of(dataset.pk, dataset.rev), **(headers or {})}
        row = Dataset.objects.with_freshness().select_related("owner", "created_by").get(pk=dataset.pk)
        return Response(DatasetSerializer(row).data, status=status, headers=about)


class AlarmViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/datasets/{name}/alarms``: when the data set was late, the newest first."""

    serializer_class = AlarmSerializer
    query_parameters = (choice("state", ["open"]),)
    ordering = "-raised_at"

    def get_queryset(self) -> QuerySet[FreshnessAlarm]:
        """``?state=open`` narrows."""
        rows = find_dataset(self.request, self.kwargs["name"]).alarms.all()
        is_open = one_of(self.request.query_params.get("state", ""), "state", ("open",))
        return rows.open() if is_open else rows


class DatasetVersionViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/datasets/{name}/versions``. A repeated upload is the version it already is."""

    serializer_class = DatasetVersionInListSerializer
    query_parameters = (choice("status", DatasetVersion.Status.values), text("label"))

    def get_queryset(self) -> QuerySet[DatasetVersion]:
        """``?status=`` and ``?label=`` narrow."""
        dataset = find_dataset(self.request, self.kwargs["name"])
        rows = dataset.versions.in_lists().select_related("created_by")
        if status := self.request.query_params.get("status"):
            if status not in DatasetVersion.Status.values:
                allowed = ", ".join(DatasetVersion.Status.values)
                raise Invalid(f"status must be one of: {allowed}.", field="status", allowed=allowed)
            rows = rows.filter(status=status)
        if label := self.request.query_params.get("label"):
            rows = rows.filter(label=label.replace("\x00", ""))
        return rows

    @extend_schema(
        request={"multipart/form-data": NewVersionSerializer}, responses={202: DatasetVersionSerializer}
    )
    def create(self, request: Request, name: str) -> Response:
        """202: the version has its number; it is ready when a worker has read it."""
        dataset = find_dataset(request, name)
        if not rights.may_register(request.actor, dataset):
            raise NotAllowed(f"You may not add versions to {dataset}; it needs the right to register.")
        new = NewVersionSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        file = new.validated_data["file"]
        version = services.register_version(
            actor=request.actor,
            dataset=dataset,
            content=kept(file),
            source_name=(file.name or "")[:255],
            label=new.validated_data["label"],
            description=new.validated_data["description"],
        )
        job = Job.objects.about(version).order_by("-created_at").first()
        return accepted(job, dict(DatasetVersionSerializer(version).data))

    @extend_schema(responses=DatasetVersionSerializer)
    def retrieve(self, request: Request, name: str, number: int) -> Response:
        version = find_dataset_version(request, name, number)
        etag = etag_of(version.pk, version.status, version.digest)
        return Response(DatasetVersionSerializer(version).data, headers={"ETag": etag})

    @extend_schema(responses={(200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY})
    def content(self, request: Request, name: str, number: int) -> FileResponse:
        """The version's Parquet file; each download is recorded."""
        version = find_dataset_version(request, name, number)
        services.note_download(actor=request.actor, version=version)
        return sent(version)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def impact(self, request: Request, name: str, number: int) -> Response:
        """What the version touched: data, runs, model versions, deployments with rows predicted."""
        version = find_dataset_version(request, name, number)
        parts = as_json(impact_of(request.actor, version))
        body = {"dataset": name, "version": version.number, "status": version.status, **parts}
        return item(request, body)

    @extend_schema(request=ReasonSerializer, responses=DatasetVersionSerializer)
    def quarantine(self, request: Request, name: str, number: int) -> Response:
        return self._switched(request, name, number, services.quarantine_version)

    @extend_schema(request=ReasonSerializer, responses=DatasetVersionSerializer)
    def release(self, request: Request, name: str, number: int) -> Response:
        return self._switched(request, name, number, services.release_version)

    def get_parsers(self) -> list[Any]:
        if getattr(self, "action_map", {}).get("post") == "create":
            return [MultiPartParser()]
        return list(super().get_parsers())

    def _switched(self, request: Request, name: str, number: int, service: Any) -> Response:
        said = ReasonSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        version = service(
            actor=request.actor, version=find_dataset_version(request, name, number), **said.validated_data
        )
        return Response(DatasetVersionSerializer(version).data)
