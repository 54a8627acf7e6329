"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from accounts.api.group_views import GroupGrantViewSet, GroupViewSet, MemberViewSet
from accounts.api.people_views import PeopleViewSet
from accounts.api.token_views import TokenViewSet
from accounts.api.views import MeView

GROUP = r"^groups/(?P<name>[^/]+)"
ACCOUNT = r"(?P<account>[^/]+)"
KEY = r"(?P<key>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
LIST: Any = {"get": "list", "post": "create"}
ENDED: Any = {"get": "retrieve", "delete": "destroy"}

urlpatterns: list[Any] = [
    re_path(r"^me/?$", MeView.as_view(), name="me"),
    re_path(r"^people/?$", PeopleViewSet.as_view(LIST), name="people"),
    re_path(
        rf"^people/{ACCOUNT}/?$",
        PeopleViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="person",
    ),
    re_path(r"^groups/?$", GroupViewSet.as_view(LIST), name="groups"),
    re_path(GROUP + r"/?$", GroupViewSet.as_view({**ENDED, "patch": "partial_update"}), name="group"),
    re_path(GROUP + r"/members/?$", MemberViewSet.as_view(LIST), name="group-members"),
    re_path(rf"{GROUP}/members/{ACCOUNT}/?$", MemberViewSet.as_view(ENDED), name="group-member"),
    re_path(GROUP + r"/grants/?$", GroupGrantViewSet.as_view({"get": "list"}), name="group-grants"),
    re_path(r"^tokens/?$", TokenViewSet.as_view(LIST), name="tokens"),
    re_path(rf"^tokens/{KEY}/?$", TokenViewSet.as_view(ENDED), name="token"),
]
