"""REST: pipelines and their runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.sight import require_sight
from core.api.items import item
from core.api.openapi import choice
from core.api.views import IdempotentPosts
from core.errors import Invalid
from core.jobs.models import Job
from pipelines import services
from pipelines.api.dataset_views import accepted
from pipelines.api.serializers import (
    NewRunSerializer,
    PipelineSerializer,
    RunInListSerializer,
    RunSerializer,
)
from pipelines.lookups import find_pipeline, find_run
from pipelines.models import Pipeline, PipelineRun


class PipelineViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/pipelines`` and ``/pipelines/{name}``."""

    serializer_class = PipelineSerializer

    def get_queryset(self) -> QuerySet[Pipeline]:
        return Pipeline.objects.visible_to(self.request.actor)

    @extend_schema(responses=PipelineSerializer)
    def retrieve(self, request: Request, name: str) -> Response:
        return item(request, PipelineSerializer(find_pipeline(request, name)).data)


class RunViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/pipelines/{name}/runs``."""

    serializer_class = RunInListSerializer
    query_parameters = (choice("status", PipelineRun.Status.values),)

    def get_queryset(self) -> QuerySet[PipelineRun]:
        """``?status=`` narrows."""
        require_sight(self.request.actor)
        pipeline = find_pipeline(self.request, self.kwargs["name"])
        runs = PipelineRun.objects.visible_to(self.request.actor).filter(pipeline=pipeline)
        if status := self.request.query_params.get("status"):
            if status not in PipelineRun.Status.values:
                allowed = ", ".join(PipelineRun.Status.values)
                raise Invalid(f"status must be one of: {allowed}.", field="status", allowed=allowed)
            runs = runs.filter(status=status)
        return runs.select_related("pipeline", "started_by").defer("log")

    @extend_schema(request=NewRunSerializer, responses={202: RunSerializer})
    def create(self, request: Request, name: str) -> Response:
        """202: the run waits for a worker; data that breaks its contract refuses it here (409)."""
        pipeline = find_pipeline(request, name)
        new = NewRunSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        run = services.start_run(
            actor=request.actor, pipeline=pipeline, parameters=new.validated_data["parameters"]
        )
        return accepted(Job.objects.get(pk=run.job_id), self._body(run))

    @extend_schema(responses=RunSerializer)
    def retrieve(self, request: Request, name: str, key: UUID) -> Response:
        return item(request, self._body(find_run(request, name, key)))

    @extend_schema(request=None, responses=RunSerializer)
    def cancel(self, request: Request, name: str, key: UUID) -> Response:
        run = services.cancel_run(actor=request.actor, run=find_run(request, name, key))
        return Response(self._body(run))

    def _body(self, run: PipelineRun) -> dict[str, Any]:
        return dict(RunSerializer(run).data)
