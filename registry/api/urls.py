"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from registry.api.grant_views import GrantViewSet
from registry.api.model_views import AliasViewSet, ModelViewSet
from registry.api.sbom_views import BillViewSet
from registry.api.version_views import VersionViewSet

MODEL = r"^models/(?P<name>[^/]+)"
VERSION = MODEL + r"/versions/(?P<number>[0-9]+)"
ITEM: Any = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}

urlpatterns: list[Any] = [
    re_path(r"^models/?$", ModelViewSet.as_view({"get": "list", "post": "create"}), name="models"),
    re_path(MODEL + r"/?$", ModelViewSet.as_view(ITEM), name="model"),
    re_path(MODEL + r"/aliases/?$", AliasViewSet.as_view({"get": "list"}), name="aliases"),
    re_path(
        MODEL + r"/aliases/(?P<alias>[^/]+)/?$",
        AliasViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
        name="alias",
    ),
    re_path(
        MODEL + r"/versions/?$",
        VersionViewSet.as_view({"get": "list", "post": "create"}),
        name="model-versions",
    ),
    re_path(VERSION + r"/?$", VersionViewSet.as_view(ITEM), name="model-version"),
    re_path(VERSION + r"/files/?$", VersionViewSet.as_view({"get": "files"}), name="model-version-files"),
    re_path(
        VERSION + r"/files/(?P<path>.+)$", VersionViewSet.as_view({"get": "file"}), name="model-version-file"
    ),
    re_path(
        VERSION + r"/manifest/?$", VersionViewSet.as_view({"get": "manifest"}), name="model-version-manifest"
    ),
    re_path(
        VERSION + r"/lineage/?$", VersionViewSet.as_view({"get": "lineage"}), name="model-version-lineage"
    ),
    re_path(VERSION + r"/sbom/?$", BillViewSet.as_view({"get": "retrieve"}), name="model-version-sbom"),
    re_path(VERSION + r"/verify/?$", VersionViewSet.as_view({"post": "verify"}), name="model-version-verify"),
    re_path(VERSION + r"/retry/?$", VersionViewSet.as_view({"post": "retry"}), name="model-version-retry"),
    re_path(r"^grants/?$", GrantViewSet.as_view({"get": "list", "post": "create"}), name="grants"),
    re_path(r"^grants/revoke/?$", GrantViewSet.as_view({"post": "revoke"}), name="grants-revoke"),
]
