"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from accounts.api.views import MeView

urlpatterns: list[Any] = [re_path(r"^me/?$", MeView.as_view(), name="me")]
