"""Keyset pages: ``{items, next, previous}`` and a Link header (RFC 8288)."""

from __future__ import annotations

from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import QuerySet
from rest_framework.pagination import BasePagination, Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from core.canonical import sha256_hex
from core.errors import Invalid

SALT = "core.api.cursor"


class KeysetPages(CursorPagination):
    """``?limit=50&cursor=…``; the order is the view's ``ordering``; never a total."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering = "-created_at"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, TypeError, ValidationError, DataError) as error:
            if request.query_params.get("cursor"):  # its position is no value of the column
                raise _refused_cursor() from error
            raise

    def get_page_size(self, request: Request) -> int:
        """``limit``, or Invalid: a number that is quietly another would be read as the last page."""
        sent = request.query_params.get("limit")
        if sent is None:
            return self.page_size
        is_whole = sent.isascii() and sent.isdigit() and len(sent) <= len(f"{self.max_page_size}")
        if not is_whole or not 1 <= int(sent) <= self.max_page_size:
            allowed = f"1 to {self.max_page_size}"
            raise Invalid(f"limit must be a whole number of {allowed}.", field="limit", allowed=allowed)
        return int(sent)

    def decode_cursor(self, request: Request) -> Any:
        sent = request.query_params.get("cursor")
        self._list_key = self._key_of(request)
        if not sent:
            return None
        try:
            list_key, offset, is_reverse, position = signing.loads(sent, salt=SALT)
        except (signing.BadSignature, ValueError) as error:
            raise _refused_cursor() from error
        if list_key != self._list_key:
            raise Invalid(
                "cursor belongs to another list: to other filters or another order; start without it.",
                field="cursor",
                allowed="the cursor of next or previous",
            )
        return Cursor(offset=offset, reverse=is_reverse, position=position)

    def encode_cursor(self, cursor: Cursor) -> str:
        """An address with the position, signed together with what it is a position in."""
        said = [self._list_key, cursor.offset, cursor.reverse, cursor.position]
        return str(replace_query_param(str(self.base_url), "cursor", signing.dumps(said, salt=SALT)))

    def _key_of(self, request: Request) -> str:
        """The list that is asked for: its address, filters and order; not how much of it at once."""
        filters = sorted(
            (name, *values)
            for name, values in request.query_params.lists()
            if name not in {"cursor", self.page_size_query_param}
        )
        return sha256_hex(repr([request.path.rstrip("/"), filters, self.ordering]))[:32]

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        self.ordering = getattr(view, "ordering", self.ordering)
        ordering = tuple(super().get_ordering(request, queryset, view))
        sort = request.query_params.get("sort")
        # A view that offers several orders has read the word itself.
        if sort and not hasattr(view, "sorts") and sort != ordering[0]:
            raise Invalid(f"sort must be: {ordering[0]}.", field="sort", allowed=ordering[0])
        return ordering

    def get_paginated_response(self, data: Any) -> Response:
        following, preceding = self.get_next_link(), self.get_previous_link()
        links = [f'<{link}>; rel="{rel}"' for link, rel in ((following, "next"), (preceding, "prev")) if link]
        response = Response({"items": data, "next": following, "previous": preceding})
        if links:
            response["Link"] = ", ".join(links)
        return response

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return page_of(schema, {"type": ["string", "null"], "format": "uri"})

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        cursor = {"type": "string", "description": "Where to go on, from `next` or `previous` of a page."}
        limit = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return [
            {"name": "cursor", "in": "query", "required": False, "schema": cursor},
            {"name": "limit", "in": "query", "required": False, "schema": limit},
        ]


class WholeList(BasePagination):
    """A list that is short by nature, in the form of a page."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        return list(queryset)

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"items": data, "next": None, "previous": None})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return page_of(schema, {"type": "null"})


def page_of(items: dict[str, Any], address: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["items", "next", "previous"],
        "properties": {"items": items, "next": address, "previous": address},
    }


def _refused_cursor() -> Invalid:
    return Invalid(
        "cursor is not a position in this list; follow next or previous, or start without it.",
        field="cursor",
        allowed="the cursor of next or previous",
    )
