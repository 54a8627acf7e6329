"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from registry.evaluations.api.views import EvaluationViewSet

KEY = r"(?P<key>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"

urlpatterns: list[Any] = [
    re_path(
        r"^evaluations/?$", EvaluationViewSet.as_view({"get": "list", "post": "create"}), name="evaluations"
    ),
    re_path(rf"^evaluations/{KEY}/?$", EvaluationViewSet.as_view({"get": "retrieve"}), name="evaluation"),
    re_path(
        r"^models/(?P<name>[^/]+)/versions/(?P<number>[0-9]+)/evaluations/?$",
        EvaluationViewSet.as_view({"get": "list"}),
        name="model-version-evaluations",
    ),
]
