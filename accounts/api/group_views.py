"""REST: groups, who is in them, and what was granted to them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.serializers import (
    ChangedGroupSerializer,
    GroupGrantSerializer,
    GroupSerializer,
    GroupWithGrantsSerializer,
    MemberSerializer,
    NewGroupSerializer,
    NewMemberSerializer,
)
from accounts.grants import kinds_of_group_grants
from accounts.groups import services
from accounts.groups.teams import (
    find_member,
    find_team,
    grant_counts,
    grants_to,
    members_of,
    oversees_people,
    teams_visible_to,
)
from core.api.items import item
from core.api.openapi import choice, text
from core.api.views import IdempotentPosts, require_match
from core.errors import Invalid, NotAllowed

ON = ("data set", "model", "source")


class GroupViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/groups``: everybody's own; all of them for admins and auditors."""

    serializer_class = GroupSerializer
    query_parameters = (text("q", "Part of a name."),)
    ordering = "name"

    def get_queryset(self) -> QuerySet[Any]:
        words = self.request.query_params.get("q", "").replace("\x00", "")
        rows = teams_visible_to(self.request.actor)
        return rows.filter(name__icontains=words) if words else rows

    @extend_schema(request=NewGroupSerializer, responses={201: GroupWithGrantsSerializer})
    def create(self, request: Request) -> Response:
        """A group without members and without rights; for admins."""
        made = services.create_group(actor=request.actor, **checked(NewGroupSerializer, request))
        return self._answer(
            request, made.name, status=201, headers={"Location": f"/api/v1/groups/{made.name}"}
        )

    @extend_schema(responses=GroupWithGrantsSerializer)
    def retrieve(self, request: Request, name: str) -> Response:
        return self._answer(request, name)

    @extend_schema(request=ChangedGroupSerializer, responses=GroupWithGrantsSerializer)
    def partial_update(self, request: Request, name: str) -> Response:
        """Rename it; members and grants stay. Its address changes."""
        group = self._matched(request, name)
        asked = checked(ChangedGroupSerializer, request)
        if "name" in asked:
            name = services.rename_group(actor=request.actor, group=group, **asked).name
        return self._answer(request, name)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        """Its grants go with it: ``grants`` says how many, ``/grants`` which; the event keeps them."""
        services.delete_group(actor=request.actor, group=self._matched(request, name))
        return Response(status=204)

    def _matched(self, request: Request, name: str) -> Any:
        require_match(request, self._answer(request, name)["ETag"])
        return find_team(request.actor, name)

    def _answer(self, request: Request, name: str, **more: Any) -> Response:
        team = find_team(request.actor, name)
        team.grants = grant_counts(team) if oversees_people(request.actor) else None
        return item(request, GroupWithGrantsSerializer(team).data, **more)


class MemberViewSet(IdempotentPosts, mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/groups/{name}/members``: for those who are in it, admins and auditors."""

    serializer_class = MemberSerializer
    ordering = "id"

    def get_queryset(self) -> QuerySet[Any]:
        return members_of(find_team(self.request.actor, self.kwargs["name"]))

    @extend_schema(request=NewMemberSerializer, responses={201: MemberSerializer})
    def create(self, request: Request, name: str) -> Response:
        """Add an account; what was granted to the group holds for its person with the next request."""
        team, asked = find_team(request.actor, name), checked(NewMemberSerializer, request)
        account = asked.pop("account")
        member = services.add_member(actor=request.actor, group=team, account_name=account, **asked)
        member.refresh_from_db()
        where = f"/api/v1/groups/{team.name}/members/{member.account.username}"
        return item(request, MemberSerializer(member).data, status=201, headers={"Location": where})

    @extend_schema(responses=MemberSerializer)
    def retrieve(self, request: Request, name: str, account: str) -> Response:
        return item(request, MemberSerializer(find_member(find_team(request.actor, name), account)).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str, account: str) -> Response:
        """Remove them; what the group gave them ends with the next request."""
        team = find_team(request.actor, name)
        member = find_member(team, account)
        require_match(request, item(request, MemberSerializer(member).data)["ETag"])
        services.remove_member(actor=request.actor, group=team, account=member.account)
        return Response(status=204)


class GroupGrantViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """``/groups/{name}/grants``: what was granted to a group."""

    serializer_class = GroupGrantSerializer
    query_parameters = (choice("on", ON, "What the grants are on; models unless it is said."),)
    ordering = "id"

    def get_queryset(self) -> QuerySet[Any]:
        team, on = find_team(self.request.actor, self.kwargs["name"]), self.request.query_params.get("on")
        if not oversees_people(self.request.actor):
            raise NotAllowed(f"You may not see what was granted to {team.name}; admins and auditors may.")
        kinds = kinds_of_group_grants()
        if (on or "model") not in kinds:
            raise Invalid(f"on must be one of: {', '.join(kinds)}.", field="on", allowed=", ".join(kinds))
        return grants_to(team, kinds[on or "model"])


def checked(serializer: type[Any], request: Request) -> dict[str, Any]:
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)
