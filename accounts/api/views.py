"""REST: who the caller is."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import ApiToken
from core.actors import Actor


class TokenInUseSerializer(serializers.ModelSerializer[ApiToken]):
    scopes = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ApiToken
        fields = ("name", "prefix", "scopes", "expires_at")


class CallerSerializer(serializers.Serializer[Any]):
    """For the document: ``MeView`` makes it."""

    account = serializers.CharField()
    person = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    rights = serializers.ListField(
        child=serializers.CharField(), help_text="Held on every object; grants on single models come on top."
    )
    via = serializers.ChoiceField(["token", "session"])
    token = TokenInUseSerializer(allow_null=True)


class MeView(APIView):
    """``/me``."""

    @extend_schema(responses=CallerSerializer)
    def get(self, request: Request) -> Response:
        """The account, its roles, and the token in use with its scopes and expiry."""
        actor: Actor = request.actor  # type: ignore[attr-defined]
        token = ApiToken.objects.of(actor).filter(pk=actor.token_id).first() if actor.token_id else None
        return Response(
            {
                "account": actor.account_name,
                "person": request.user.person.name,  # type: ignore[union-attr]
                "roles": sorted(actor.roles),
                "rights": sorted(right for right in actor.rights if actor.scope_allows(right)),
                "via": "token" if token else "session",
                "token": TokenInUseSerializer(token).data if token else None,
            }
        )
