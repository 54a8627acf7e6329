"""Keyset paging of pages: newest first, ``?before=`` and ``?after=`` carry the last row seen."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from core.errors import Invalid

ROWS = 50


class Page:
    """One page of a QuerySet ordered by descending primary key (UUIDv7 or identity)."""

    def __init__(self, request: HttpRequest, rows: QuerySet[Any], key: str = "pk", size: int = ROWS) -> None:
        before, after = request.GET.get("before"), request.GET.get("after")
        try:
            if after:
                found = list(rows.filter(**{f"{key}__gt": after}).order_by(key)[: size + 1])[::-1]
                self.items = found[-size:]
                has_newer, has_older = len(found) > size, True
            else:
                limited = rows.filter(**{f"{key}__lt": before}) if before else rows
                found = list(limited.order_by(f"-{key}")[: size + 1])
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
