"""REST: tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api.group_views import checked
from accounts.api.people_views import without
from accounts.api.serializers import NewTokenSerializer, TokenSerializer, TokenWithSecretSerializer
from accounts.groups.teams import find_account
from accounts.models import Account, ApiToken
from core.api.openapi import text
from core.api.views import IdempotentPosts, etag_of, require_match
from core.errors import NotFound


class TokenViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/tokens``: one's own; a token with fewer scopes than ``all`` finds only itself."""

    serializer_class = TokenSerializer
    query_parameters = (text("account", "Whose, for admins; one's own unless it is said."),)

    def get_queryset(self) -> QuerySet[Any]:
        actor, name = self.request.actor, self.request.query_params.get("account", "")
        account = find_account(actor, name).pk if name else actor.account_id
        rows = ApiToken.objects.visible_to(actor).filter(account=account, purpose="personal")
        return rows.select_related("account")

    @extend_schema(request=NewTokenSerializer, responses={201: TokenWithSecretSerializer})
    def create(self, request: Request) -> Response:
        """One of one's own; the secret is answered this once. Needs a browser session: a token issues none."""
        asked = checked(NewTokenSerializer, request)
        lifetime = timedelta(days=asked.pop("days"))
        account = Account.objects.get(pk=request.actor.account_id)
        token, secret = services.issue_token(actor=request.actor, account=account, lifetime=lifetime, **asked)
        token.refresh_from_db()
        return _answer(token, status=201, secret=secret)

    @extend_schema(responses=TokenSerializer)
    def retrieve(self, request: Request, key: UUID) -> Response:
        return _answer(self._find(request, key))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, key: UUID) -> Response:
        """Revoke it: it is dead with the next request. Admins revoke anybody's."""
        token = self._find(request, key)
        require_match(request, _etag(token))
        services.revoke_token(actor=request.actor, token=token)
        return Response(status=204)

    def content_to_keep(self, response: Response) -> bytes:
        """A secret is answered once: rows that remember answers hold none."""
        return without(response, "secret") or super().content_to_keep(response)

    def _find(self, request: Request, key: UUID) -> ApiToken:
        token = ApiToken.objects.visible_to(request.actor).select_related("account").filter(pk=key).first()
        if token is None:
            raise NotFound(f"There is no token {key}.")
        return token


def _etag(token: ApiToken) -> str:
    """Not of its last use: a caller's own token would have changed by being asked about."""
    return etag_of(token.pk, token.revoked_at)


def _answer(token: ApiToken, *, status: int = 200, **more: Any) -> Response:
    headers = {"ETag": _etag(token)}
    if status == 201:
        headers["Location"] = f"/api/v1/tokens/{token.pk}"
    return Response({**TokenSerializer(token).data, **more}, status=status, headers=headers)
