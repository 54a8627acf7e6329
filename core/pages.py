"""Keyset paging of pages: newest first, ``?before=`` and ``?after=`` carry the last row seen.

With ``ascending`` the order is turned round (names from a to z); the pager's words stay.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from core.errors import Invalid

ROWS = 50


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
    ) -> None:
        back, on = ("lt", "gt") if ascending else ("gt", "lt")
        sign, turned = ("", "-") if ascending else ("-", "")
        before, after = request.GET.get("before"), request.GET.get("after")
        try:
            if after:
                found = list(rows.filter(**{f"{key}__{back}": after}).order_by(f"{turned}{key}")[: size + 1])[
                    ::-1
                ]
                self.items = found[-size:]
                has_newer, has_older = len(found) > size, True
            else:
                limited = rows.filter(**{f"{key}__{on}": before}) if before else rows
                found = list(limited.order_by(f"{sign}{key}")[: size + 1])
                self.items = found[:size]
                has_newer, has_older = bool(before), len(found) > size
        except (ValueError, TypeError, ValidationError) as error:
            raise Invalid(
                "The page's position is not valid; start from the first page.", field="before"
            ) from error
        self.newer = self._address(request, "after", self.items[0], key) if self.items and has_newer else None
        self.older = (
            self._address(request, "before", self.items[-1], key) if self.items and has_older else None
        )

    def __iter__(self) -> Any:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @staticmethod
    def _address(request: HttpRequest, name: str, item: Any, key: str) -> str:
        query = request.GET.copy()
        for each in ("before", "after"):
            query.pop(each, None)
        query[name] = str(getattr(item, key))
        return f"?{query.urlencode()}"
