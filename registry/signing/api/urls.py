"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from registry.signing.api.views import SignatureViewSet, SigningKeyViewSet

KEY = r"(?P<pk>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"

urlpatterns: list[Any] = [
    re_path(
        r"^signing-keys/?$", SigningKeyViewSet.as_view({"get": "list", "post": "create"}), name="signing-keys"
    ),
    re_path(
        rf"^signing-keys/{KEY}/retire/?$",
        SigningKeyViewSet.as_view({"post": "retire"}),
        name="signing-key-retire",
    ),
    re_path(
        r"^models/(?P<name>[^/]+)/versions/(?P<number>[0-9]+)/signature/?$",
        SignatureViewSet.as_view({"get": "retrieve", "post": "check"}),
        name="model-version-signature",
    ),
]
