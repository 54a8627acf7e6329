"""Keyset paging of pages: newest first, ``?before=`` and ``?after=`` carry the last row seen.

With ``ascending`` the order is turned round (names from a to z); the pager's words stay. Rows that
share a value of ``key`` are told apart by ``tie``, a unique column that goes the same way.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from core.errors import Invalid

ROWS = 50
# Between the value of the key and that of the tie in an address.
BETWEEN = "~"


class Page:
    """One page of a QuerySet ordered by descending primary key (UUIDv7 or identity)."""

    def __init__(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        key: str = "pk",
        size: int = ROWS,
        *,
        ascending: bool = False,
        tie: str = "",
    ) -> None:
        self._columns = [key, tie] if tie else [key]
        back, on = ("lt", "gt") if ascending else ("gt", "lt")
        sign, turned = ("", "-") if ascending else ("-", "")
        before, after = request.GET.get("before"), request.GET.get("after")
        try:
            if after:
                found = list(rows.filter(self._past(after, back)).order_by(*self._order(turned))[: size + 1])
                found.reverse()
                self.items = found[-size:]
                has_newer, has_older = len(found) > size, True
            else:
                limited = rows.filter(self._past(before, on)) if before else rows
                found = list(limited.order_by(*self._order(sign))[: size + 1])
                self.items = found[:size]
                has_newer, has_older = bool(before), len(found) > size
        except (ValueError, TypeError, ValidationError, DataError) as error:
            raise Invalid(
                "The page's position is not valid; start from the first page.", field="before"
            ) from error
        self.newer = self._address(request, "after", self.items[0]) if self.items and has_newer else None
        self.older = self._address(request, "before", self.items[-1]) if self.items and has_older else None

    def __iter__(self) -> Any:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def _order(self, sign: str) -> list[str]:
        return [f"{sign}{column}" for column in self._columns]

    def _past(self, position: str, side: str) -> Q:
        """The rows beyond a position; the first condition alone is what an index can answer."""
        if len(self._columns) == 1:
            return Q(**{f"{self._columns[0]}__{side}": position})
        key, tie = self._columns
        value, found, last = position.rpartition(BETWEEN)
        if not found:
            raise ValueError(position)
        same = Q(**{key: value, f"{tie}__{side}": last})
        return Q(**{f"{key}__{side}e": value}) & (Q(**{f"{key}__{side}": value}) | same)

    def _address(self, request: HttpRequest, name: str, item: Any) -> str:
        query = request.GET.copy()
        for each in ("before", "after"):
            query.pop(each, None)
        query[name] = BETWEEN.join(_written(getattr(item, column)) for column in self._columns)
        return f"?{query.urlencode()}"


def _written(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
