"""A mergeable quantile sketch: counts in buckets that widen with the distance from a centre.

Buckets are cut on the bits of a double: 64 to an octave of distance, so a quantile is within
1/64 of its distance from the centre (and within scale/1024 near it). Counts are integers, so
merging is exact and the order of merging does not matter. Bucket numbers grow with the value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MANTISSA_BITS = 6
SHIFT = 52 - MANTISSA_BITS
FIRST_OCTAVE, LAST_OCTAVE = -10, 40
BASE = int(np.float64(2.0**FIRST_OCTAVE).view(np.int64)) >> SHIFT
REACH = (LAST_OCTAVE - FIRST_OCTAVE) << MANTISSA_BITS
BUCKETS = 2 * REACH + 1

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]


def bucket_of(values: Floats, centre: float, scale: float) -> Numbers:
    """The bucket number of each finite value, never falling as the value grows."""
    with np.errstate(over="ignore"):
        distance = (values - centre) * (1.0 / scale)
    numbers = np.abs(distance).view(np.int64) >> SHIFT
    numbers -= BASE - 1
    np.clip(numbers, 0, REACH, out=numbers)
    np.negative(numbers, out=numbers, where=distance < 0)
    numbers += REACH
    return numbers


def bounds(numbers: Numbers, centre: float, scale: float) -> tuple[Floats, Floats]:
    """Lower and upper value of buckets."""
    steps = np.abs(numbers - REACH)
    inner = np.where(steps > 0, _distance(np.maximum(steps - 1, 0)), -_distance(np.zeros_like(steps)))
    outer = _distance(steps)
    right = numbers >= REACH
    lower = np.where(right, inner, -outer)
    upper = np.where(right, outer, -inner)
    return centre + scale * lower, centre + scale * upper


def _distance(steps: Numbers) -> Floats:
    return ((steps + BASE) << SHIFT).view(np.float64)


def cumulative(counts: Numbers, at: Floats, centre: float, scale: float, low: float, high: float) -> Floats:
    """How many values lie below each point of ``at``, evenly spread within a bucket."""
    filled = np.flatnonzero(counts)
    if not filled.size:
        return np.zeros(at.size)
    lower, upper = (np.clip(each, low, high) for each in bounds(filled, centre, scale))
    held = counts[filled]
    before = np.cumsum(held) - held
    place = np.clip(np.searchsorted(lower, at, "right") - 1, 0, filled.size - 1)
    width = upper[place] - lower[place]
    part = np.divide(at - lower[place], width, out=(at >= upper[place]).astype(float), where=width > 0)
    return before[place] + held[place] * np.clip(part, 0.0, 1.0)


def quantiles(
    counts: Numbers, shares: Floats, centre: float, scale: float, low: float, high: float
) -> Floats:
    """The values below which the given shares (0 to 1) of all values lie; NaN when empty."""
    filled = np.flatnonzero(counts)
    if not filled.size:
        return np.full(shares.size, np.nan)
    lower, upper = (np.clip(each, low, high) for each in bounds(filled, centre, scale))
    held = counts[filled]
    after = np.cumsum(held)
    wanted = np.clip(shares, 0.0, 1.0) * after[-1]
    place = np.minimum(np.searchsorted(after, wanted), filled.size - 1)
    part = (wanted - (after[place] - held[place])) / held[place]
    return lower[place] + (upper[place] - lower[place]) * part
