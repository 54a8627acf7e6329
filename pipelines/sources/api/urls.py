"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from pipelines.sources.api.views import SourceGrantViewSet, SourceViewSet

SOURCE = r"^data-sources/(?P<name>[^/]+)"
LIST: Any = {"get": "list", "post": "create"}

urlpatterns: list[Any] = [
    re_path(r"^data-sources/?$", SourceViewSet.as_view(LIST), name="data-sources"),
    re_path(SOURCE + r"/?$", SourceViewSet.as_view({"get": "retrieve"}), name="data-source"),
    re_path(SOURCE + r"/remove/?$", SourceViewSet.as_view({"post": "remove"}), name="data-source-remove"),
    re_path(SOURCE + r"/grants/?$", SourceGrantViewSet.as_view(LIST), name="data-source-grants"),
    re_path(
        SOURCE + r"/grants/revoke/?$",
        SourceGrantViewSet.as_view({"post": "revoke"}),
        name="data-source-grant-revoke",
    ),
]
