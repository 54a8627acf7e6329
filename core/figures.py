"""Numbers as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence

MINUS = "−"
LARGEST = 1e15
# From so many decimals on a number is a measurement: one that they would show as 0 is shown by its exponent.
MEASURED = 3
# Digits of a logged fraction; below SMALL decimals would be mostly zeros.
LOGGED, SMALL = 6, 1e-3
# A measurement alone says so much and no more.
SIGNIFICANT, MOST_PLACES, SMALLEST = 4, 6, 1e-4
# From where on a distribution moved some, and far; a number beside its verdict has to lie on the verdict's side.
PSI_LINES = (0.10, 0.25)


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
    rounded = figure(value, max(0, LOGGED - len(str(int(size)))))
    short = rounded.rstrip("0")
    return rounded if "." not in rounded or short.endswith(".") else short


def _by_exponent(value: float) -> str:
    significand, _, exponent = f"{float(value):.3e}".partition("e")
    text = f"{significand.rstrip('0').rstrip('.')}e{int(exponent)}"
    return text.replace("-", MINUS)


def measured(value: float, *, in_column: bool = False) -> str:
    """A measurement: four significant digits, the whole part whole; zeros at the end only in a column."""
    if float(value).is_integer() and not in_column:
        return figure(value, 0)
    text = figure(value, places(abs(float(value))))
    return text if in_column or "e" in text or "." not in text else text.rstrip("0").rstrip(".")


def beside_lines(value: float, lines: Sequence[float], digits: int = 2) -> str:
    """With as many decimals as it takes to lie on its side of each line: 0.0986 is not "0.10" below 0.10."""
    for places in range(digits, MOST_PLACES):
        if all((round(value, places) >= line) == (value >= line) for line in lines):
            return figure(value, places)
    return figure(value, MOST_PLACES)


def places(size: float) -> int:
    """How many decimals a measurement of this size is told with."""
    if size == 0 or not math.isfinite(size):
        return SIGNIFICANT
    if size < SMALLEST:
        return MEASURED  # which shows the exponent
    return min(MOST_PLACES, max(0, SIGNIFICANT - 1 - math.floor(math.log10(size)), SIGNIFICANT * (size < 1)))
