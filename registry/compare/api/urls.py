"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from registry.compare.api.views import ComparisonView

urlpatterns: list[Any] = [
    re_path(r"^models/(?P<name>[^/]+)/compare/?$", ComparisonView.as_view(), name="model-compare")
]
