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
from core.api.openapi import choice, text
from core.api.views import IdempotentPosts, etag_of, require_match
from core.errors import Invalid, NotAllowed, NotFound
from core.jobs.models import Job
from pipelines import rights, services
from pipelines.api.serializers import (
    ChangedDatasetSerializer,
    CheckSerializer,
    ContractSerializer,
    DatasetSerializer,
    DatasetVersionInListSerializer,
    DatasetVersionSerializer,
    NewCheckSerializer,
    NewContractSerializer,
    NewDatasetSerializer,
    NewVersionSerializer,
    ReasonSerializer,
)
from pipelines.api.uploads import kept, sent
from pipelines.lookups import find_dataset, find_dataset_version
from pipelines.models import ContractCheck, Dataset, DatasetVersion


def accepted(job: Job | None, body: dict[str, Any]) -> Response:
    """202: the work is a job, whose progress is at its address."""
    address = f"/api/v1/jobs/{job.pk}" if job else ""
    return Response(
        {**body, "job": address or None}, status=202, headers={"Location": address} if address else {}
    )


class DatasetViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/datasets`` and ``/datasets/{name}``."""

    serializer_class = DatasetSerializer

    def get_queryset(self) -> QuerySet[Dataset]:
        require_sight(self.request.actor)
        return Dataset.objects.visible_to(self.request.actor).select_related("owner", "created_by")

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
        return Response(DatasetSerializer(dataset).data, status=status, headers=about)


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


class ContractViewSet(viewsets.GenericViewSet):
    """``/datasets/{name}/contract``: read it, or give it a new revision."""

    serializer_class = ContractSerializer

    @extend_schema(responses=ContractSerializer)
    def retrieve(self, request: Request, name: str) -> Response:
        dataset = find_dataset(request, name)
        contract = dataset.contract()
        if contract is None:
            raise NotFound(f"{dataset} has no contract.")
        return Response(ContractSerializer(contract).data, headers={"ETag": etag_of(contract.pk)})

    @extend_schema(
        request=NewContractSerializer, responses={200: ContractSerializer, 201: ContractSerializer}
    )
    def update(self, request: Request, name: str) -> Response:
        """The first revision needs no If-Match, later ones do."""
        dataset = find_dataset(request, name)
        before = dataset.contract()
        if before is not None:
            require_match(request, etag_of(before.pk))
        new = NewContractSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        contract = services.set_contract(
            actor=request.actor,
            dataset=dataset,
            expected_revision=before.revision if before else 0,
            **new.validated_data,
        )
        status = 200 if before else 201
        headers = {"ETag": etag_of(contract.pk)}
        return Response(ContractSerializer(contract).data, status=status, headers=headers)


class CheckViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/datasets/{name}/checks``: what was found, and asking for another look."""

    serializer_class = CheckSerializer
    ordering = "-checked_at"

    def get_queryset(self) -> QuerySet[ContractCheck]:
        dataset = find_dataset(self.request, self.kwargs["name"])
        return ContractCheck.objects.filter(version__dataset=dataset).select_related("version", "contract")

    @extend_schema(request=NewCheckSerializer, responses={202: OpenApiTypes.OBJECT})
    def create(self, request: Request, name: str) -> Response:
        asked = NewCheckSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        version = find_dataset_version(request, name, asked.validated_data["version"])
        job = services.request_check(actor=request.actor, version=version)
        return accepted(job, {"dataset": version.dataset.name, "version": version.number})
