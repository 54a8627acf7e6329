"""REST: promotion requests and policies."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.sight import require_sight
from approvals import services
from approvals.api.serializers import (
    ChangedRequestSerializer,
    NewRequestSerializer,
    PolicySerializer,
    ReasonSerializer,
    RequestInListSerializer,
    RequestSerializer,
    RevisionSerializer,
    SignatureSerializer,
)
from approvals.models import Policy, PolicyRevision, PromotionRequest
from approvals.telling import evidence_for
from core.api.items import item
from core.api.openapi import choice, text
from core.api.views import IdempotentPosts, etag_of, require_match
from core.errors import Conflict, Invalid, NotFound
from deployments.lookups import find_environment
from registry.lineage import sees_all_data
from registry.lookups import find_version

LATER = "is not built yet: reject with what should change, or withdraw and ask again."


def request_etag(promotion: PromotionRequest) -> str:
    """Changes with what is asked and with the evidence, which is what a decision is about."""
    return etag_of("promotion", promotion.pk, promotion.rev, promotion.evidence_sha256)


class RequestViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/promotion-requests`` and below. Deciding needs a browser session and the password."""

    serializer_class = RequestInListSerializer
    query_parameters = (
        choice("status", PromotionRequest.Status.values),
        text("model"),
        text("environment"),
    )
    revision_parameter_of = ("approve", "reject")

    def get_queryset(self) -> QuerySet[PromotionRequest]:
        """``?status=``, ``?model=`` and ``?environment=`` narrow."""
        require_sight(self.request.actor)
        rows = PromotionRequest.objects.visible_to(self.request.actor).in_lists()
        query = self.request.query_params
        if status := query.get("status"):
            if status not in PromotionRequest.Status.values:
                allowed = ", ".join(PromotionRequest.Status.values)
                raise Invalid(f"status must be one of: {allowed}.", field="status", allowed=allowed)
            rows = rows.filter(status=status)
        if name := query.get("model"):
            rows = rows.filter(version__model__name=name.replace("\x00", ""))
        if name := query.get("environment"):
            rows = rows.filter(environment=find_environment(name))
        return rows.defer("evidence")

    @extend_schema(request=NewRequestSerializer, responses={201: RequestSerializer})
    def create(self, request: Request) -> Response:
        """Opens the request; its evaluation and gates run as jobs."""
        new = NewRequestSerializer(data=request.data)
        new.is_valid(raise_exception=True)
        asked = new.validated_data
        version = find_version(request, asked["model"], asked["version"])
        opened = services.request_promotion(
            actor=request.actor,
            version=version,
            environment=find_environment(asked["environment"]),
            why=asked["why"],
            known_limits=asked.get("known_limits", ""),
        )
        address = f"/api/v1/promotion-requests/{opened.pk}"
        return self._answer(opened, status=201, headers={"Location": address})

    @extend_schema(responses=RequestSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        return self._answer(self._find(pk))

    @extend_schema(request=ChangedRequestSerializer, responses=RequestSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Edit the words; what was signed before is void."""
        promotion = self._find(pk)
        require_match(request, request_etag(promotion))
        change = ChangedRequestSerializer(data=request.data)
        change.is_valid(raise_exception=True)
        services.edit_request(
            actor=request.actor, promotion=promotion, revision=promotion.rev, **change.validated_data
        )
        return self._answer(promotion)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def evidence(self, request: Request, pk: str) -> Response:
        """Exactly what a signature covers; its canonical JSON (RFC 8785) has this SHA-256.

        Who may not see all data behind the version reads it without what names or quotes that data.
        """
        promotion = self._find(pk)
        is_seen = sees_all_data(request.actor, promotion.version_id)
        body = {
            "sha256": promotion.evidence_sha256,
            "revision": promotion.rev,
            "evidence": evidence_for(promotion, is_data_seen=is_seen),
        }
        return Response(body, headers={"ETag": request_etag(promotion)})

    @extend_schema(request=SignatureSerializer, responses=RequestSerializer)
    def approve(self, request: Request, pk: str) -> Response:
        return self._decide(request, pk, services.approve)

    @extend_schema(request=SignatureSerializer, responses=RequestSerializer)
    def reject(self, request: Request, pk: str) -> Response:
        return self._decide(request, pk, services.reject)

    @extend_schema(request=None, responses={})
    def request_changes(self, request: Request, pk: str) -> Response:
        self._find(pk)
        raise Conflict(f"Requesting changes {LATER}", code="not_available")

    @extend_schema(request=ReasonSerializer, responses=RequestSerializer)
    def withdraw(self, request: Request, pk: str) -> Response:
        """By the requester, or by whoever may deploy the model."""
        promotion = self._find(pk)
        said = ReasonSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        services.withdraw(actor=request.actor, promotion=promotion, reason=said.validated_data["reason"])
        return self._answer(promotion)

    @extend_schema(request=None, responses=RequestSerializer)
    def start(self, request: Request, pk: str) -> Response:
        """Start what an approval left waiting, or what failed, again."""
        promotion = self._find(pk)
        is_failed = promotion.status == PromotionRequest.Status.FAILED
        service = services.retry if is_failed else services.start_waiting
        service(actor=request.actor, promotion=promotion)
        return self._answer(promotion)

    @extend_schema(request=None, responses={202: RequestSerializer})
    def evaluate_again(self, request: Request, pk: str) -> Response:
        """Evaluate what failed, or has changed since, against what is live now; what waits or runs is enough."""
        promotion = self._find(pk)
        services.evaluate_again(actor=request.actor, promotion=promotion)
        return self._answer(promotion, status=202)

    def _decide(self, request: Request, pk: str, service: Any) -> Response:
        promotion = self._find(pk)
        if request.actor.is_interactive:
            require_match(request, request_etag(promotion))
        signature = SignatureSerializer(data=request.data)
        if request.actor.is_interactive:
            signature.is_valid(raise_exception=True)
        given = signature.validated_data if signature.is_valid() else {"reason": "", "password": ""}
        service(actor=request.actor, promotion=promotion, revision=promotion.rev, **given)
        return self._answer(promotion)

    def _find(self, pk: str | uuid.UUID) -> PromotionRequest:
        require_sight(self.request.actor)
        rows = PromotionRequest.objects.visible_to(self.request.actor).in_lists()
        try:
            found = (
                rows.select_related("champion", "version__created_by").filter(pk=uuid.UUID(str(pk))).first()
            )
        except ValueError:
            found = None
        if found is None:
            raise NotFound("There is no such promotion request.")
        return found

    def _answer(self, promotion: PromotionRequest, **about: Any) -> Response:
        row = self._find(promotion.pk)
        about.setdefault("headers", {})["ETag"] = request_etag(row)
        return Response(RequestSerializer(row, context={"request": self.request}).data, **about)


class PolicyViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/policies``: what is checked and who approves. Everybody who is signed in may read them."""

    serializer_class = PolicySerializer
    whole_lists = ("revisions",)

    def get_queryset(self) -> QuerySet[Policy]:
        return Policy.objects.select_related("environment")

    @extend_schema(responses=PolicySerializer)
    def retrieve(self, request: Request, name: str) -> Response:
        return item(request, PolicySerializer(self._find(name)).data)

    @extend_schema(responses=RevisionSerializer(many=True))
    def revisions(self, request: Request, name: str) -> Response:
        """Newest first."""
        found = PolicyRevision.objects.filter(policy=self._find(name)).order_by("-number")[:200]
        return Response({"items": RevisionSerializer(found, many=True).data, "next": None, "previous": None})

    def _find(self, name: str) -> Policy:
        policy = self.get_queryset().filter(name=name).first()
        if policy is None:
            raise NotFound(f"There is no policy {name[:60]!r}.")
        return policy
