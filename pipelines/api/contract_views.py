"""REST: a data set's contract, its revisions, proposals, differences and the open standard."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.items import item
from core.api.openapi import choice, text
from core.api.views import IdempotentPosts, etag_of, require_match
from core.errors import Invalid, NotFound
from pipelines import services
from pipelines.api.dataset_views import accepted
from pipelines.api.serializers import (
    CheckSerializer,
    ContractInListSerializer,
    ContractSerializer,
    NewCheckSerializer,
    NewContractSerializer,
    StandardContractSerializer,
)
from pipelines.contract_changes import changes_between
from pipelines.contracts import loaded
from pipelines.editing import as_yaml, in_order
from pipelines.lookups import find_contract, find_dataset, find_dataset_version, whole_number
from pipelines.models import ContractCheck, DataContract
from pipelines.odcs.reading import from_standard
from pipelines.odcs.writing import as_standard
from pipelines.proposing import propose_from

REVISION = OpenApiParameter("revision", int, description="The newest when left out.")


class ContractViewSet(viewsets.GenericViewSet):
    """``/datasets/{name}/contract``: read it, or give it a new revision."""

    serializer_class = ContractSerializer
    revision_parameter_of = ("take",)
    conflicting_reads = ("proposal",)

    @extend_schema(parameters=[REVISION], responses=ContractSerializer)
    def retrieve(self, request: Request, name: str) -> Response:
        contract = find_contract(request, name, request.query_params.get("revision", ""))
        return Response(ContractSerializer(contract).data, headers={"ETag": etag_of(contract.pk)})

    @extend_schema(
        request=NewContractSerializer, responses={200: ContractSerializer, 201: ContractSerializer}
    )
    def update(self, request: Request, name: str) -> Response:
        """The first revision needs no If-Match, later ones do."""
        new = NewContractSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        contract, is_first = self._kept(request, name, **new.validated_data)
        headers = {"ETag": etag_of(contract.pk)}
        return Response(ContractSerializer(contract).data, status=201 if is_first else 200, headers=headers)

    @extend_schema(
        parameters=[OpenApiParameter("version", int, description="The newest that is ready when left out.")],
        responses=OpenApiTypes.OBJECT,
    )
    def proposal(self, request: Request, name: str) -> Response:
        """A contract inferred from one version, why each rule, and how it differs from the current one."""
        dataset = find_dataset(request, name)
        if asked := request.query_params.get("version"):
            version = find_dataset_version(request, name, whole_number(asked, "version"))
        else:
            newest = dataset.versions.ready().order_by("-number").first()
            if newest is None:
                raise NotFound(f"{dataset} has no version that is ready.")
            version = newest
        proposal, current = propose_from(version), DataContract.objects.newest_of(dataset)
        body = {
            "version": version.number,
            "document": proposal.document,
            "notes": [note.as_json() for note in proposal.notes],
            "changes": _told(current.document if current else None, proposal.document),
        }
        return item(request, body)

    @extend_schema(
        parameters=[OpenApiParameter("a", int, required=True), OpenApiParameter("b", int, required=True)],
        responses=OpenApiTypes.OBJECT,
    )
    def changes(self, request: Request, name: str) -> Response:
        """What changed from revision ``a`` to revision ``b``."""
        sides = {}
        for each in ("a", "b"):
            asked = request.query_params.get(each, "")
            sides[each] = find_contract(request, name, str(whole_number(asked, each)))
        a, b = sides["a"], sides["b"]
        body = {"a": a.revision, "b": b.revision, "changes": _told(a.document, b.document)}
        return item(request, body)

    @extend_schema(parameters=[REVISION], responses={(200, "application/yaml"): OpenApiTypes.OBJECT})
    def export(self, request: Request, name: str) -> HttpResponse:
        """The contract as an Open Data Contract Standard document (YAML)."""
        contract = find_contract(request, name, request.query_params.get("revision", ""))
        dataset = contract.dataset
        document = as_standard(
            in_order(dataset, contract.document),
            identity=str(dataset.pk),
            name=dataset.name,
            revision=contract.revision,
            purpose=dataset.description,
        )
        answer = HttpResponse(as_yaml(document), content_type="application/yaml; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{dataset.name}.odcs.yaml"'
        return answer

    @extend_schema(
        request=StandardContractSerializer,
        responses={200: OpenApiTypes.OBJECT, 201: OpenApiTypes.OBJECT},
    )
    def take(self, request: Request, name: str) -> Response:
        """Read an Open Data Contract document; ``dry_run`` keeps nothing. ``left_out`` says what is lost."""
        sent = StandardContractSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        said = sent.validated_data
        document = said["document"]
        document = loaded(document) if isinstance(document, str) else document
        reading = from_standard(document, table=said["table"] or name)
        current = DataContract.objects.newest_of(find_dataset(request, name))
        body: dict[str, Any] = {
            "document": reading.document,
            "left_out": reading.left_out,
            "changes": _told(current.document if current else None, reading.document),
            "revision": current.revision if current else None,
        }
        if said["dry_run"]:
            return Response(body)
        contract, is_first = self._kept(request, name, document=reading.document, reason=said["reason"])
        headers = {"ETag": etag_of(contract.pk)}
        body["revision"] = contract.revision
        return Response(body, status=201 if is_first else 200, headers=headers)

    def _kept(self, request: Request, name: str, **new: Any) -> tuple[DataContract, bool]:
        dataset = find_dataset(request, name)
        before = DataContract.objects.newest_of(dataset)
        if before is not None:
            require_match(request, etag_of(before.pk))
        kept = services.set_contract(
            actor=request.actor,
            dataset=dataset,
            expected_revision=before.revision if before else 0,
            **new,
        )
        return kept, before is None


class ContractRevisionViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/datasets/{name}/contract/revisions``: every revision, newest first, without documents."""

    serializer_class = ContractInListSerializer

    def get_queryset(self) -> QuerySet[DataContract]:
        dataset = find_dataset(self.request, self.kwargs["name"])
        return dataset.contracts.select_related("created_by").defer("document")


class CheckViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/datasets/{name}/checks``: what was found, and asking for another look."""

    serializer_class = CheckSerializer
    query_parameters = (choice("status", ContractCheck.Status.values), text("version"), text("revision"))
    ordering = "-checked_at"

    def get_queryset(self) -> QuerySet[ContractCheck]:
        """``?status=``, ``?version=`` and ``?revision=`` narrow."""
        dataset = find_dataset(self.request, self.kwargs["name"])
        rows = ContractCheck.objects.filter(version__dataset=dataset).select_related("version", "contract")
        asked = self.request.query_params
        if status := asked.get("status"):
            if status not in ContractCheck.Status.values:
                allowed = ", ".join(ContractCheck.Status.values)
                raise Invalid(f"status must be one of: {allowed}.", field="status", allowed=allowed)
            rows = rows.filter(status=status)
        for word, column in (("version", "version__number"), ("revision", "contract__revision")):
            if value := asked.get(word):
                rows = rows.filter(**{column: whole_number(value, word)})
        return rows.defer("version__profile", "version__schema", "contract__document")

    @extend_schema(request=NewCheckSerializer, responses={202: OpenApiTypes.OBJECT})
    def create(self, request: Request, name: str) -> Response:
        asked = NewCheckSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        version = find_dataset_version(request, name, asked.validated_data["version"])
        job = services.request_check(actor=request.actor, version=version)
        return accepted(job, {"dataset": version.dataset.name, "version": version.number})


def _told(before: dict[str, Any] | None, after: dict[str, Any]) -> list[dict[str, Any]]:
    return [change.as_json() for change in changes_between(before, after)]
