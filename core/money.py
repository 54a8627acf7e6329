"""Amounts of money as people read them."""

from __future__ import annotations

import math
from decimal import Decimal

FEWEST_SHOWN = 1e-6


def money(value: Decimal | float | None) -> str:
    """USD with as many places as the amount needs: two figures that count, never an exponent."""
    if value is None:
        return "none"
    amount = float(value)
    if amount == 0 or amount >= 1:
        return f"${amount:,.2f}"
    if amount < FEWEST_SHOWN:
        return f"under ${FEWEST_SHOWN:.6f}"
    places = max(4, 1 - math.floor(math.log10(amount)))
    return f"${amount:.{places}f}"
