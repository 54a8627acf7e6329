"""REST: accounts with their roles."""

from __future__ import annotations

import secrets
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.api.group_views import checked
from accounts.api.serializers import (
    AccountSerializer,
    AccountWithPasswordSerializer,
    ChangedAccountSerializer,
    NewAccountSerializer,
)
from accounts.groups.teams import find_account
from accounts.models import Account
from core.api.items import item
from core.api.openapi import text
from core.api.views import IdempotentPosts, require_match


class PeopleViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/people``: everybody for admins and auditors; others find themselves."""

    serializer_class = AccountSerializer
    query_parameters = (text("q", "Part of an account's name."),)

    def get_queryset(self) -> QuerySet[Account]:
        words = self.request.query_params.get("q", "").replace("\x00", "")
        rows = Account.objects.visible_to(self.request.actor).prefetch_related("groups")
        return rows.filter(username__icontains=words) if words else rows

    @extend_schema(request=NewAccountSerializer, responses={201: AccountWithPasswordSerializer})
    def create(self, request: Request) -> Response:
        """For admins. A person's password is made and answered this once; a service signs in by token alone."""
        asked = checked(NewAccountSerializer, request)
        password = None if asked["kind"] == "service" else secrets.token_urlsafe(18)
        made = services.create_account(
            actor=request.actor,
            username=asked["account"],
            name=asked["person"],
            kind=asked["kind"],
            role=asked["role"],
            password=password,
        )
        data = {**AccountSerializer(made).data, "password": password}
        etag = item(request, AccountSerializer(made).data)["ETag"]
        headers = {"Location": f"/api/v1/people/{made.username}", "ETag": etag}
        return Response(data, status=201, headers=headers)

    @extend_schema(responses=AccountSerializer)
    def retrieve(self, request: Request, account: str) -> Response:
        return item(request, AccountSerializer(find_account(request.actor, account)).data)

    @extend_schema(request=ChangedAccountSerializer, responses=AccountSerializer)
    def partial_update(self, request: Request, account: str) -> Response:
        """Set roles and let in or shut out; the last active admin stays, and nobody gives themselves a role."""
        found = find_account(request.actor, account)
        require_match(request, item(request, AccountSerializer(found).data)["ETag"])
        asked = checked(ChangedAccountSerializer, request)
        if asked:
            services.change_account(actor=request.actor, account=found, **asked)
        return item(request, AccountSerializer(find_account(request.actor, account)).data)

    def content_to_keep(self, response: Response) -> bytes:
        """A password is answered once: rows that remember answers hold none."""
        return without(response, "password") or super().content_to_keep(response)


def without(response: Response, field: str) -> bytes | None:
    """The answer with this field emptied, or None if it does not have it."""
    data: Any = response.data
    if not isinstance(data, dict) or field not in data:
        return None
    return bytes(JSONRenderer().render({**data, field: None}))
