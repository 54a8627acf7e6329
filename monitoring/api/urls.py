"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from monitoring.api.cost_views import CostEntryViewSet, PriceRuleViewSet
from monitoring.api.incident_views import AlertRuleViewSet, AlertViewSet, IncidentViewSet
from monitoring.api.label_views import LabelViewSet
from monitoring.api.window_views import ModelMonitoringViewSet

KEY = r"(?P<pk>[0-9a-fA-F-]{36})"
BATCH = r"/(?P<batch>[0-9a-fA-F-]{36})"
BY_ID = rf"^endpoints/{KEY}/labels"
BY_NAME = r"^endpoints/(?P<environment>[-\w]{1,40})/(?P<name>[^/]+)/labels"
MODEL = r"^monitoring/models/(?P<name>[^/]+)"
LISTED = {"get": "list", "post": "create"}

urlpatterns: list[Any] = [
    re_path(BY_ID + r"/?$", LabelViewSet.as_view(LISTED), name="labels-by-id"),
    re_path(BY_ID + BATCH + r"/?$", LabelViewSet.as_view({"get": "retrieve"}), name="label-batch-by-id"),
    re_path(BY_NAME + r"/?$", LabelViewSet.as_view(LISTED), name="labels"),
    re_path(BY_NAME + BATCH + r"/?$", LabelViewSet.as_view({"get": "retrieve"}), name="label-batch"),
    re_path(MODEL + r"/?$", ModelMonitoringViewSet.as_view({"get": "retrieve"}), name="monitoring"),
    *(
        re_path(
            MODEL + rf"/{part}/?$",
            ModelMonitoringViewSet.as_view({"get": part.replace("-", "_")}),
            name=f"monitoring-{part}",
        )
        for part in ("drift", "quality", "health", "data-issues", "costs")
    ),
    re_path(r"^alert-rules/?$", AlertRuleViewSet.as_view(LISTED), name="alert-rules"),
    re_path(
        rf"^alert-rules/{KEY}/?$",
        AlertRuleViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="alert-rule",
    ),
    re_path(r"^alerts/?$", AlertViewSet.as_view({"get": "list"}), name="alerts"),
    re_path(r"^incidents/?$", IncidentViewSet.as_view({"get": "list"}), name="incidents"),
    re_path(rf"^incidents/{KEY}/?$", IncidentViewSet.as_view({"get": "retrieve"}), name="incident"),
    *(
        re_path(
            rf"^incidents/{KEY}/{verb}/?$", IncidentViewSet.as_view({"post": verb}), name=f"incident-{verb}"
        )
        for verb in ("acknowledge", "resolve", "comment")
    ),
    re_path(
        rf"^incidents/{KEY}/post-mortem/?$",
        IncidentViewSet.as_view({"get": "post_mortems", "post": "write_post_mortem"}),
        name="incident-post-mortem",
    ),
    re_path(r"^price-rules/?$", PriceRuleViewSet.as_view(LISTED), name="price-rules"),
    re_path(
        rf"^price-rules/{KEY}/?$",
        PriceRuleViewSet.as_view({"get": "retrieve", "delete": "destroy"}),
        name="price-rule",
    ),
    re_path(r"^cost-entries/?$", CostEntryViewSet.as_view({"get": "list"}), name="cost-entries"),
]
