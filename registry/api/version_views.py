"""REST: model versions, their files and where they come from."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import quote

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.actors import Actor
from core.api.openapi import choice, text
from core.api.views import IdempotentPosts, etag_of, require_match
from core.errors import Conflict, Invalid, Unavailable
from core.jobs.models import Job
from registry import services
from registry.api.downloads import open_file
from registry.api.serializers import (
    ChangedVersionSerializer,
    FileSerializer,
    NewVersionSerializer,
    VersionInListSerializer,
    VersionSerializer,
)
from registry.api.sorting import Sorting
from registry.lineage import holdout_as_told, lineage_of, run_as_told
from registry.lookups import find_model, find_version
from registry.models import ModelVersion
from registry.ownership import refuse_early
from registry.rights import may_register
from registry.services.versions import checked_owners
from registry.sources import parse_source


def version_etag(version: ModelVersion) -> str:
    return etag_of(version.pk, version.rev)


def accepted(job: Job, body: dict[str, Any]) -> Response:
    """202: the work is a job, whose progress is at its address."""
    address = f"/api/v1/jobs/{job.pk}"
    return Response({**body, "job": address}, status=202, headers={"Location": address})


class VersionViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/models/{name}/versions`` and below."""

    serializer_class = VersionInListSerializer
    filter_backends = (Sorting,)
    query_parameters = (choice("status", ModelVersion.Status.values), text("run_id"))
    whole_lists = ("files",)
    conflicting_reads = ("manifest", "file")
    partial_reads = ("file",)
    sorts = {
        "-version": ("-number",),
        "version": ("number",),
        "-last_updated_at": ("-last_updated_at", "-number"),
    }

    def get_queryset(self) -> QuerySet[ModelVersion]:
        """``?status=`` and ``?run_id=`` narrow."""
        model = find_model(self.request, self.kwargs["name"])
        versions = ModelVersion.objects.visible_to(self.request.actor).filter(model=model).in_lists()
        if status := self.request.query_params.get("status"):
            if status not in ModelVersion.Status.values:
                allowed = ", ".join(ModelVersion.Status.values)
                raise Invalid(f"status must be one of: {allowed}.", field="status", allowed=allowed)
            versions = versions.filter(status=status)
        if run_id := self.request.query_params.get("run_id"):
            versions = versions.filter(run_id=run_id.replace("\x00", ""))
        return versions.select_related("created_by").prefetch_related("tags", "aliases")

    @extend_schema(request=NewVersionSerializer, responses={202: VersionSerializer})
    def create(self, request: Request, name: str) -> Response:
        """202: the version has its number; it is READY when a worker has hashed its files."""
        model = find_model(request, name)
        new = NewVersionSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        if may_register(request.actor, model):
            _refuse_early(request.actor, **new.validated_data)
        version = services.create_version(actor=request.actor, model=model, **new.validated_data)
        job = Job.objects.about(version).latest("created_at")
        return accepted(job, self._body(version))

    @extend_schema(responses=VersionSerializer)
    def retrieve(self, request: Request, name: str, number: int) -> Response:
        return self._answer(find_version(request, name, number))

    @extend_schema(request=ChangedVersionSerializer, responses=VersionSerializer)
    def partial_update(self, request: Request, name: str, number: int) -> Response:
        version = find_version(request, name, number)
        require_match(request, version_etag(version))
        change = ChangedVersionSerializer(data=request.data)
        change.is_valid(raise_exception=True)
        services.update_version(
            actor=request.actor, version=version, expected_rev=version.rev, **change.validated_data
        )
        return self._answer(find_version(request, name, number))

    @extend_schema(parameters=[text("reason", "Why; the tombstone keeps it.")], responses={204: None})
    def destroy(self, request: Request, name: str, number: int) -> Response:
        version = find_version(request, name, number)
        require_match(request, version_etag(version))
        reason = request.query_params.get("reason", "")
        services.delete_version(actor=request.actor, version=version, reason=reason, expected_rev=version.rev)
        return Response(status=204)

    @extend_schema(responses=FileSerializer(many=True))
    def files(self, request: Request, name: str, number: int) -> Response:
        version = find_version(request, name, number)
        items = [
            {**entry, "address": quote(f"{request.path.rstrip('/')}/{entry['path']}")}
            for entry in version.manifest
        ]
        return Response({"items": items, "next": None, "previous": None})

    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            307: None,
        }
    )
    def file(self, request: Request, name: str, number: int, path: str) -> HttpResponseBase:
        """One file as registered, or a part of it; never shown by the browser, always saved.

        The ETag is its SHA-256. A whole file whose stored bytes differ from it is cut off before its end.
        """
        return open_file(request, request.actor, find_version(request, name, number), path)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def manifest(self, request: Request, name: str, number: int) -> Response:
        """What the digest is the SHA-256 of (as canonical JSON, RFC 8785)."""
        version = find_version(request, name, number)
        if not version.is_ready:
            raise Conflict(f"{version} {version.state_words}; it has no manifest yet.")
        return Response({"digest": f"sha256:{version.digest}", "files": version.manifest})

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def lineage(self, request: Request, name: str, number: int) -> Response:
        return Response(lineage_of(request.actor, find_version(request, name, number)))

    @extend_schema(request=None, responses={202: OpenApiTypes.OBJECT})
    def verify(self, request: Request, name: str, number: int) -> Response:
        version = find_version(request, name, number)
        job = services.request_verification(actor=request.actor, version=version)
        return accepted(job, {"digest": f"sha256:{version.digest}"})

    @extend_schema(request=None, responses={202: VersionSerializer})
    def retry(self, request: Request, name: str, number: int) -> Response:
        """Try a failed registration again."""
        version = services.retry_registration(
            actor=request.actor, version=find_version(request, name, number)
        )
        return accepted(Job.objects.about(version).latest("created_at"), self._body(version))

    def _body(self, version: ModelVersion) -> dict[str, Any]:
        actor = self.request.actor
        told = {"holdout": holdout_as_told(actor, version), "run": run_as_told(actor, version)}
        return {**VersionSerializer(version).data, **told}

    def _answer(self, version: ModelVersion) -> Response:
        return Response(self._body(version), headers={"ETag": version_etag(version)})


def _refuse_early(actor: Actor, source: str, run_id: str = "", logged_model_id: str = "", **_: Any) -> None:
    """What the worker would refuse anyway; while the tracking server is away, the worker tells."""
    parsed = parse_source(source)
    owners = checked_owners(parsed, run_id or "", logged_model_id or "")
    with suppress(Unavailable):
        refuse_early(actor, parsed, *owners)
