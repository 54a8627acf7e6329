"""Addresses below /api/v1/; a trailing slash is accepted and never needed."""

from typing import Any

from django.urls import re_path

from approvals.api.views import PolicyViewSet, RequestViewSet

REQUEST = r"^promotion-requests/(?P<pk>[0-9a-fA-F-]{36})"
POLICY = r"^policies/(?P<name>[-\w]+)"
VERBS = {
    "approve": "approve",
    "reject": "reject",
    "request-changes": "request_changes",
    "withdraw": "withdraw",
    "cancel": "withdraw",
    "start": "start",
    "evaluate-again": "evaluate_again",
}

urlpatterns: list[Any] = [
    re_path(
        r"^promotion-requests/?$",
        RequestViewSet.as_view({"get": "list", "post": "create"}),
        name="promotion-requests",
    ),
    re_path(
        REQUEST + r"/?$",
        RequestViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="promotion-request",
    ),
    re_path(
        REQUEST + r"/evidence/?$",
        RequestViewSet.as_view({"get": "evidence"}),
        name="promotion-request-evidence",
    ),
    *(
        re_path(
            f"{REQUEST}/{verb}/?$", RequestViewSet.as_view({"post": name}), name=f"promotion-request-{verb}"
        )
        for verb, name in VERBS.items()
    ),
    re_path(r"^policies/?$", PolicyViewSet.as_view({"get": "list"}), name="policies"),
    re_path(POLICY + r"/?$", PolicyViewSet.as_view({"get": "retrieve"}), name="policy"),
    re_path(POLICY + r"/revisions/?$", PolicyViewSet.as_view({"get": "revisions"}), name="policy-revisions"),
]
