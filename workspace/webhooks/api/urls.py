"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from workspace.webhooks.api.views import DeliveryViewSet, WebhookViewSet

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
KEY, WEBHOOK_KEY = rf"(?P<key>{UUID})", rf"(?P<webhook_key>{UUID})"
ONE: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}

urlpatterns: list[Any] = [
    re_path(r"^webhooks/?$", WebhookViewSet.as_view({"get": "list", "post": "create"}), name="webhooks"),
    re_path(r"^webhooks/deliveries/?$", DeliveryViewSet.as_view({"get": "list"}), name="webhook-deliveries"),
    re_path(
        rf"^webhooks/deliveries/{KEY}/?$",
        DeliveryViewSet.as_view({"get": "retrieve"}),
        name="webhook-delivery",
    ),
    re_path(
        rf"^webhooks/deliveries/{KEY}/replay/?$",
        DeliveryViewSet.as_view({"post": "replay"}),
        name="webhook-delivery-replay",
    ),
    re_path(rf"^webhooks/{KEY}/?$", WebhookViewSet.as_view(ONE), name="webhook"),
    re_path(rf"^webhooks/{KEY}/test/?$", WebhookViewSet.as_view({"post": "test"}), name="webhook-test"),
    re_path(
        rf"^webhooks/{KEY}/rotate-secret/?$",
        WebhookViewSet.as_view({"post": "rotate_secret"}),
        name="webhook-rotate-secret",
    ),
    re_path(
        rf"^webhooks/{WEBHOOK_KEY}/deliveries/?$",
        DeliveryViewSet.as_view({"get": "list"}),
        name="webhook-own-deliveries",
    ),
]
