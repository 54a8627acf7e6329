"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from registry.scans.api.views import ScanViewSet

urlpatterns: list[Any] = [
    re_path(
        r"^models/(?P<name>[^/]+)/versions/(?P<number>[0-9]+)/scans/?$",
        ScanViewSet.as_view({"get": "list", "post": "create"}),
        name="model-version-scans",
    )
]
