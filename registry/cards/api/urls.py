"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from registry.cards.api.views import CardViewSet

CARD = r"^models/(?P<name>[^/]+)/card"
VERSION = r"^models/(?P<name>[^/]+)/versions/(?P<number>[0-9]+)"

urlpatterns: list[Any] = [
    re_path(CARD + r"/?$", CardViewSet.as_view({"get": "retrieve", "put": "update"}), name="model-card"),
    re_path(CARD + r"/revisions/?$", CardViewSet.as_view({"get": "list"}), name="model-card-revisions"),
    re_path(
        CARD + r"/revisions/(?P<number>[0-9]+)/?$",
        CardViewSet.as_view({"get": "revision"}),
        name="model-card-revision",
    ),
    re_path(VERSION + r"/card/?$", CardViewSet.as_view({"get": "of_version"}), name="model-version-card"),
]
