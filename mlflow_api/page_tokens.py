"""Page tokens: where a page ended, signed for its search."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core import signing
from django.db.models import Q

from core.errors import Invalid

SALT = "mlflow_api.page"


def after(order: Sequence[tuple[str, bool]], position: Sequence[Any]) -> Q:
    """Rows that come later in the order than the position."""
    condition, same = Q(), Q()
    for (column, down), value in zip(order, position, strict=True):
        condition |= same & Q(**{f"{column}__{'lt' if down else 'gt'}": value})
        same &= Q(**{column: value})
    # The first column alone bounds the range, so that an index finds the place.
    column, down = order[0]
    return Q(**{f"{column}__{'lte' if down else 'gte'}": position[0]}) & condition


def token_of(search_key: str, position: Sequence[Any]) -> str:
    values = [["t", each.isoformat()] if isinstance(each, datetime) else ["v", each] for each in position]
    return signing.dumps([search_key, values], salt=SALT)


def position_of(token: str, search_key: str, length: int) -> list[Any]:
    try:
        key, values = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise Invalid("page_token is not one that was given out here.", field="page_token") from None
    if key != search_key or len(values) != length:
        raise Invalid("page_token belongs to another search.", field="page_token")
    return [datetime.fromisoformat(value) if kind == "t" else value for kind, value in values]
