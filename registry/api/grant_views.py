"""REST: rights granted on registered models."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.actors import holds
from core.api.fields import Body, TextField
from core.api.openapi import text
from core.api.paging import WholeList
from core.api.views import IdempotentPosts
from core.errors import Invalid, NotAllowed
from registry.access import services
from registry.access.models import ModelAccountGrant, ModelGroupGrant, grants_on
from registry.access.services import GRANTABLE
from registry.lookups import find_model
from registry.models import RegisteredModel


class GrantSerializer(Body):
    """A right on a model for an account or a group."""

    model = TextField()
    right = serializers.ChoiceField(GRANTABLE)
    account = TextField(required=False)
    group = TextField(required=False)
    reason = TextField(max_length=1000)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class GivenGrantSerializer(serializers.Serializer):
    """For the document: ``described`` makes it."""

    model = TextField()
    right = serializers.ChoiceField(GRANTABLE)
    account = TextField(allow_null=True)
    group = TextField(allow_null=True)
    granted_by = TextField(allow_null=True)
    granted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    reason = TextField(allow_blank=True)


class GrantViewSet(IdempotentPosts, viewsets.GenericViewSet):
    """``/grants``: who was given what; ``/grants/revoke`` takes it back."""

    serializer_class = GrantSerializer
    pagination_class = WholeList
    query_parameters = (text("model", required=True),)

    @extend_schema(responses=GivenGrantSerializer(many=True))
    def list(self, request: Request) -> Response:
        """``?model=`` names the model; needs administer on it, or the right to audit."""
        name = request.query_params.get("model", "")
        if not name:
            raise Invalid("Name the registered model.", field="model", allowed="a registered model's name")
        model = find_model(request, name)
        if not (holds(request.actor, "administer", model) or holds(request.actor, "audit")):
            raise NotAllowed(
                f"You may not see who was granted what on {model}; it needs the right to administer."
            )
        items = [described(each) for each in grants_on(model)]
        return Response({"items": items, "next": None, "previous": None})

    @extend_schema(responses={201: GivenGrantSerializer})
    def create(self, request: Request) -> Response:
        asked = self._asked(request)
        model = find_model(request, asked.pop("model"))
        asked |= self._holder(request, model, asked)
        given = services.grant(actor=request.actor, model=model, **asked)
        return Response(described(given), status=201)

    @extend_schema(responses={204: None})
    def revoke(self, request: Request) -> Response:
        asked = self._asked(request)
        asked.pop("expires_at", None)
        model = find_model(request, asked.pop("model"))
        asked |= self._holder(request, model, asked)
        services.revoke(actor=request.actor, model=model, **asked)
        return Response(status=204)

    def _holder(self, request: Request, model: RegisteredModel, asked: dict[str, Any]) -> dict[str, Any]:
        names = {kind: asked.pop(kind, None) for kind in ("account", "group")}
        return services.find_holder(actor=request.actor, model=model, **names)

    def _asked(self, request: Request) -> dict[str, Any]:
        asked = GrantSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return dict(asked.validated_data)


def described(grant: ModelAccountGrant | ModelGroupGrant) -> dict[str, Any]:
    """A grant as JSON."""
    return {
        "model": grant.content_object.name,
        "right": grant.permission.codename,
        "account": grant.user.username if isinstance(grant, ModelAccountGrant) else None,
        "group": grant.group.name if isinstance(grant, ModelGroupGrant) else None,
        "granted_by": grant.granted_by.username if grant.granted_by else None,
        "granted_at": grant.granted_at,
        "expires_at": grant.expires_at,
        "reason": grant.reason,
    }
