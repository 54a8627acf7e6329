"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from registry.storage.api.views import DeletedVersionViewSet, HoldViewSet, QuotaViewSet

MODEL = r"^models/(?P<name>[^/]+)"

urlpatterns: list[Any] = [
    re_path(r"^deleted-versions/?$", DeletedVersionViewSet.as_view({"get": "list"}), name="deleted-versions"),
    re_path(
        MODEL + r"/storage/?$",
        QuotaViewSet.as_view({"get": "retrieve", "put": "update"}),
        name="model-storage",
    ),
    re_path(
        MODEL + r"/versions/(?P<number>[0-9]+)/hold/?$",
        HoldViewSet.as_view({"get": "retrieve", "post": "create"}),
        name="model-version-hold",
    ),
    re_path(
        MODEL + r"/versions/(?P<number>[0-9]+)/hold/release/?$",
        HoldViewSet.as_view({"post": "release"}),
        name="model-version-hold-release",
    ),
]
