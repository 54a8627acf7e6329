"""Numbers as people read them."""

from __future__ import annotations

MINUS = "−"
LARGEST = 1e15
# From so many decimals on a number is a measurement: one that they would show as 0 is shown by its exponent.
MEASURED = 3
# Digits of a fraction; below SMALL decimals would be mostly zeros.
SIGNIFICANT, SMALL = 6, 1e-3


def figure(value: float, digits: int) -> str:
    """Thousands with commas and a real minus sign; an exponent where decimals would say nothing or never end."""
    size = abs(float(value))
    vanishes = digits >= MEASURED and 0 < size < 0.5 * 10.0**-digits
    if vanishes or size >= LARGEST:
        return _by_exponent(value)
    return f"{float(value):,.{digits}f}".replace("-", MINUS)


def significant(value: float) -> str:
    """All digits of a whole number, six of a fraction; zeros at its end stay where nothing else says that it is one."""
    size = abs(float(value))
    if size.is_integer():
        return figure(value or 0, 0)  # 0 for minus nought
    if size < SMALL:
        return _by_exponent(value)
    rounded = figure(value, max(0, SIGNIFICANT - len(str(int(size)))))
    short = rounded.rstrip("0")
    return rounded if "." not in rounded or short.endswith(".") else short


def _by_exponent(value: float) -> str:
    significand, _, exponent = f"{float(value):.3e}".partition("e")
    text = f"{significand.rstrip('0').rstrip('.')}e{int(exponent)}"
    return text.replace("-", MINUS)
