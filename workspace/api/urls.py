"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from workspace.api.views import JobViewSet
from workspace.reference_views import SchemaView

JOB = r"^jobs/(?P<pk>[0-9a-fA-F-]{36})"

urlpatterns: list[Any] = [
    re_path(r"^schema/?$", SchemaView.as_view(), name="schema"),
    re_path(r"^jobs/?$", JobViewSet.as_view({"get": "list"}), name="jobs"),
    re_path(JOB + r"/?$", JobViewSet.as_view({"get": "retrieve"}), name="job"),
    re_path(JOB + r"/cancel/?$", JobViewSet.as_view({"post": "cancel"}), name="job-cancel"),
]
