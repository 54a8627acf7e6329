"""REST: deployments, and steering them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.sight import require_sight
from core.api.openapi import choice, text
from core.api.views import IdempotentPosts, etag_of, require_match
from core.errors import Invalid
from deployments import services
from deployments.api.serializers import (
    DeploymentInFullSerializer,
    DeploymentSerializer,
    NeededReasonSerializer,
    NewDeploymentSerializer,
    ReasonSerializer,
)
from deployments.lookups import find_deployment, find_environment
from deployments.models import Deployment
from registry.lookups import find_version


class DeploymentViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/deployments`` and below."""

    serializer_class = DeploymentSerializer
    query_parameters = (choice("status", Deployment.Status.values), text("model"), text("environment"))
    revision_parameter_of = ("pause", "resume", "abort")

    def get_queryset(self) -> QuerySet[Deployment]:
        """``?model=``, ``?environment=``, ``?endpoint=`` and ``?status=`` narrow."""
        require_sight(self.request.actor)
        rows = Deployment.objects.visible_to(self.request.actor).in_lists()
        query = self.request.query_params
        if name := query.get("model"):
            rows = rows.filter(endpoint__model__name=name.replace("\x00", ""))
        if name := query.get("environment"):
            rows = rows.filter(endpoint__environment=find_environment(name))
        if status := query.get("status"):
            if status not in Deployment.Status.values:
                allowed = ", ".join(Deployment.Status.values)
                raise Invalid(f"status must be one of: {allowed}.", field="status", allowed=allowed)
            rows = rows.filter(status=status)
        return rows

    @extend_schema(request=NewDeploymentSerializer, responses={202: DeploymentInFullSerializer})
    def create(self, request: Request) -> Response:
        """202: a worker and the agent do the rest. A protected environment asks for an approved request."""
        new = NewDeploymentSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        asked = new.validated_data
        version = find_version(request, asked["model"], asked["version"])
        environment = find_environment(asked["environment"])
        endpoint = services.ensure_endpoint(actor=request.actor, model=version.model, environment=environment)
        deployment = services.start_deployment(
            actor=request.actor,
            endpoint=endpoint,
            version=version,
            rollout=asked.get("rollout"),
            reason=asked.get("reason", ""),
        )
        address = f"/api/v1/deployments/{deployment.pk}"
        return self._answer(request, deployment, status=202, headers={"Location": address})

    @extend_schema(responses=DeploymentInFullSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(request, find_deployment(request, pk))

    @extend_schema(request=ReasonSerializer, responses=DeploymentInFullSerializer)
    def pause(self, request: Request, pk: str) -> Response:
        return self._steer(request, pk, services.pause, ReasonSerializer)

    @extend_schema(request=ReasonSerializer, responses=DeploymentInFullSerializer)
    def resume(self, request: Request, pk: str) -> Response:
        return self._steer(request, pk, services.continue_rollout, ReasonSerializer)

    @extend_schema(request=NeededReasonSerializer, responses=DeploymentInFullSerializer)
    def abort(self, request: Request, pk: str) -> Response:
        return self._steer(request, pk, services.abort, NeededReasonSerializer)

    @extend_schema(request=NeededReasonSerializer, responses=DeploymentInFullSerializer)
    def retire(self, request: Request, pk: str) -> Response:
        deployment = find_deployment(request, pk)
        said = NeededReasonSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        services.retire(actor=request.actor, deployment=deployment, reason=said.validated_data["reason"])
        return self._answer(request, deployment)

    def _steer(self, request: Request, pk: str, service: Any, serializer: Any) -> Response:
        """``If-Match`` is honoured when it is sent."""
        deployment = find_deployment(request, pk)
        said = serializer(data=request.data)
        said.is_valid(raise_exception=True)
        expected: int | None = None
        if request.headers.get("If-Match"):
            require_match(request, deployment_etag(deployment))
            expected = deployment.rev
        service(
            actor=request.actor,
            deployment=deployment,
            reason=said.validated_data.get("reason", ""),
            expected_rev=expected,
        )
        return self._answer(request, deployment)

    def _answer(self, request: Request, deployment: Deployment, **about: Any) -> Response:
        row = find_deployment(request, deployment.pk)
        about.setdefault("headers", {})["ETag"] = deployment_etag(row)
        return Response(DeploymentInFullSerializer(row).data, **about)


def deployment_etag(deployment: Deployment) -> str:
    return etag_of("deployment", deployment.pk, deployment.rev)
