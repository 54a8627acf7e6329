"""REST: environments, targets, endpoints, their prediction log, and rolling them back."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.sight import require_sight
from audit.services import record
from core.api.items import item
from core.api.openapi import text
from core.api.paging import WholeList
from core.api.views import IdempotentPosts, require_match
from core.errors import Invalid, NotAllowed, NotFound
from core.object_store import store
from deployments import rights, services
from deployments.api.serializers import (
    ChangedEndpointSerializer,
    DeploymentSerializer,
    EndpointSerializer,
    EnvironmentSerializer,
    NewEndpointSerializer,
    RollbackSerializer,
    SegmentSerializer,
    TargetSerializer,
)
from deployments.lookups import find_deployment, find_endpoint, find_environment, find_segment
from deployments.models import Deployment, Endpoint, Environment, LogSegment, Target
from registry.lookups import find_model


class EnvironmentViewSet(viewsets.GenericViewSet):
    """``/environments``: the same for everybody who is signed in."""

    serializer_class = EnvironmentSerializer
    pagination_class = WholeList
    queryset = Environment.objects.all()

    def list(self, request: Request) -> Response:
        return _all(EnvironmentSerializer(self.get_queryset(), many=True).data)

    def retrieve(self, request: Request, name: str) -> Response:
        return item(request, EnvironmentSerializer(find_environment(name)).data)


class TargetViewSet(viewsets.GenericViewSet):
    """``/targets``: where models run."""

    serializer_class = TargetSerializer
    pagination_class = WholeList
    queryset = Target.objects.all()

    def list(self, request: Request) -> Response:
        return _all(TargetSerializer(self.get_queryset(), many=True).data)

    def retrieve(self, request: Request, name: str) -> Response:
        target = Target.objects.filter(name=name).first()
        if target is None:
            raise NotFound(f"There is no target {name!r}.")
        return item(request, TargetSerializer(target).data)


class EndpointViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/endpoints`` and ``/endpoints/{id}``."""

    serializer_class = EndpointSerializer
    query_parameters = (text("model"), text("environment"))

    def get_queryset(self) -> QuerySet[Endpoint]:
        """``?model=`` and ``?environment=`` narrow."""
        require_sight(self.request.actor)
        endpoints = Endpoint.objects.visible_to(self.request.actor).in_lists()
        query = self.request.query_params
        if name := query.get("model"):
            endpoints = endpoints.filter(model__name=name.replace("\x00", ""))
        if name := query.get("environment"):
            endpoints = endpoints.filter(environment=find_environment(name))
        return endpoints

    @extend_schema(request=NewEndpointSerializer, responses={201: EndpointSerializer})
    def create(self, request: Request) -> Response:
        new = NewEndpointSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        endpoint = services.create_endpoint(
            actor=request.actor,
            model=find_model(request, new.validated_data["model"]),
            environment=find_environment(new.validated_data["environment"]),
            event_time_column=new.validated_data.get("event_time_column", ""),
        )
        return self._answer(endpoint, status=201, headers={"Location": f"/api/v1/endpoints/{endpoint.pk}"})

    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(find_endpoint(request, pk))

    @extend_schema(request=ChangedEndpointSerializer, responses=EndpointSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        endpoint = find_endpoint(request, pk)
        etag = services.endpoint_etag(endpoint)
        require_match(request, etag)
        change = ChangedEndpointSerializer(data=request.data)
        change.is_valid(raise_exception=True)
        changed = services.update_endpoint(
            actor=request.actor, endpoint=endpoint, expected_etag=etag, **change.validated_data
        )
        return self._answer(changed)

    @extend_schema(
        request=RollbackSerializer, responses={200: DeploymentSerializer, 202: DeploymentSerializer}
    )
    def rollback(self, request: Request, pk: str) -> Response:
        """200 when the warm version answers already, 202 when it must start first."""
        endpoint = find_endpoint(request, pk)
        asked = RollbackSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        target = self._target(request, endpoint, asked.validated_data)
        deployment = services.roll_back(
            actor=request.actor,
            endpoint=endpoint,
            to_deployment=target,
            reason=asked.validated_data["reason"],
        )
        is_done = deployment.status == Deployment.Status.LIVE
        address = f"/api/v1/deployments/{deployment.pk}"
        body = DeploymentSerializer(deployment).data
        return Response(body, status=200 if is_done else 202, headers={"Location": address})

    def _target(self, request: Request, endpoint: Endpoint, asked: dict[str, Any]) -> Deployment:
        if "deployment" in asked:
            return find_deployment(request, asked["deployment"])
        rows = Deployment.objects.filter(endpoint=endpoint, version__number=asked["version"]).was_live()
        found = rows.select_related("version__model").order_by("-live_at").first()
        if found is None:
            raise Invalid(
                f"Version {asked['version']} was never live in {endpoint.environment}.",
                field="version",
                allowed="a version that was live on this endpoint",
                code="never_live_here",
            )
        return found

    def _answer(self, endpoint: Endpoint, **about: Any) -> Response:
        row = Endpoint.objects.in_lists().get(pk=endpoint.pk)
        about.setdefault("headers", {})["ETag"] = services.endpoint_etag(row)
        return Response(EndpointSerializer(row).data, **about)


class PredictionViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/endpoints/{id}/predictions``: the sealed segments of the prediction log, as Parquet files."""

    serializer_class = SegmentSerializer
    ordering = "-sealed_at"

    def get_queryset(self) -> QuerySet[LogSegment]:
        """Newest first; needs the right to view predictions."""
        endpoint = self._endpoint(self.request, self.kwargs["pk"])
        return LogSegment.objects.filter(endpoint=endpoint).select_related("deployment__version")

    @extend_schema(responses={(200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY})
    def retrieve(self, request: Request, pk: str, segment: str) -> FileResponse:
        """The file itself; reading predictions leaves an event."""
        endpoint = self._endpoint(request, pk)
        row = find_segment(request, endpoint, segment)
        with transaction.atomic():
            after = {"key": row.key, "sha256": row.sha256}
            record(actor=request.actor, action="deployments.predictions_read", target=row, after=after)
        name = f"predictions-{row.pk}.parquet"
        content_type = "application/vnd.apache.parquet"
        return FileResponse(
            store().open_named(row.key), as_attachment=True, filename=name, content_type=content_type
        )

    def _endpoint(self, request: Request, pk: str) -> Endpoint:
        endpoint = find_endpoint(request, pk)
        if not rights.may_see_predictions(request.actor, endpoint.model):
            raise NotAllowed(f"You may not see the predictions of {endpoint.model}.")
        return endpoint


def _all(items: Any) -> Response:
    return Response({"items": items, "next": None, "previous": None})
