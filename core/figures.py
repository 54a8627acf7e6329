"""Numbers as people read them."""

from __future__ import annotations

MINUS = "−"
LARGEST = 1e15
# From so many decimals on a number is a measurement: one that they would show as 0 is shown by its exponent.
MEASURED = 3


def figure(value: float, digits: int) -> str:
    """Thousands with commas and a real minus sign; an exponent where decimals would say nothing or never end."""
    size = abs(float(value))
    vanishes = digits >= MEASURED and 0 < size < 0.5 * 10.0**-digits
    if vanishes or size >= LARGEST:
        significand, _, exponent = f"{float(value):.3e}".partition("e")
        text = f"{significand.rstrip('0').rstrip('.')}e{int(exponent)}"
    else:
        text = f"{float(value):,.{digits}f}"
    return text.replace("-", MINUS)
