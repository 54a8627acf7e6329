"""Keyset pages: ``{items, next, previous}`` and a Link header (RFC 8288)."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response


class KeysetPages(CursorPagination):
    """``?limit=50&cursor=…``; the order is the view's ``ordering``; never a total."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = "-created_at"

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        self.ordering = getattr(view, "ordering", self.ordering)
        return tuple(super().get_ordering(request, queryset, view))

    def get_paginated_response(self, data: Any) -> Response:
        following, preceding = self.get_next_link(), self.get_previous_link()
        links = [f'<{link}>; rel="{rel}"' for link, rel in ((following, "next"), (preceding, "prev")) if link]
        response = Response({"items": data, "next": following, "previous": preceding})
        if links:
            response["Link"] = ", ".join(links)
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["items"],
            "properties": {"items": schema, "next": address, "previous": address},
        }
