"""What a column holds, batch by batch, in memory that does not grow with its rows.

Small columns are described exactly; beyond the limits below quantiles come from a KLL sketch
(Apache DataSketches, rank error about 0.05 %), distinct counts from the smallest hashes (about
0.4 %), and the most frequent texts from a frequent-items sketch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
from datasketches import frequent_items_error_type, frequent_strings_sketch, kll_doubles_sketch
from numpy.typing import NDArray

EXACT_VALUES = 1 << 16
KEPT_HASHES = 1 << 16
COUNTED_TEXTS = 20_000
KLL_SIZE = 8192
FREQUENT_LOG_SIZE = 14
LONGEST_SHOWN = 200
ALL = float(np.iinfo(np.uint64).max)


class Distinct:
    """The smallest hashes seen: as long as none had to go, their number is exact."""

    def __init__(self) -> None:
        self.hashes: NDArray[np.uint64] = np.empty(0, np.uint64)

    def add(self, present: pl.Series) -> None:
        fresh = present.hash().to_numpy()
        if self.is_estimate:
            fresh = fresh[fresh < self.hashes[-1]]
        if fresh.size:
            self.hashes = np.unique(np.concatenate([self.hashes, np.unique(fresh)]))[:KEPT_HASHES]

    @property
    def is_estimate(self) -> bool:
        return self.hashes.size == KEPT_HASHES

    def count(self) -> int:
        if not self.is_estimate:
            return int(self.hashes.size)
        return round((KEPT_HASHES - 1) / (float(self.hashes[-1]) / ALL))


class Numbers:
    """Values as doubles: all of them while they are few, then a sketch; moments and ends of all."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0
        self.low: Any = None
        self.high: Any = None
        self.parts: list[NDArray[Any]] = []
        self.sketch: Any = None

    def add(self, values: NDArray[Any]) -> None:
        if not values.size:
            return
        low, high = values.min(), values.max()
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)
        self._add_moments(values)
        self.count += int(values.size)
        if self.sketch is None:
            self.parts.append(values)
            if self.count <= EXACT_VALUES:
                return
            self.sketch = kll_doubles_sketch(KLL_SIZE)
            values = np.concatenate(self.parts)
            self.parts = []
        # A copy: the sketch takes no read-only array, which polars gives without copying.
        self.sketch.update(np.array(values, np.float64))

    def _add_moments(self, values: NDArray[Any]) -> None:
        """Mean and squared deviations of both sides together (Chan and others)."""
        numbers = values.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(numbers.mean())
            squares = float(((numbers - mean) ** 2).sum())
            total = self.count + values.size
            apart = mean - self.mean
            self.mean += apart * values.size / total
            self.squares += squares + apart * apart * self.count * values.size / total

    @property
    def is_exact(self) -> bool:
        return self.sketch is None

    def ordered(self) -> NDArray[Any]:
        """All values, while they are few."""
        return np.sort(np.concatenate(self.parts)) if self.parts else np.empty(0)

    def std(self) -> float:
        return math.sqrt(self.squares / self.count) if self.count and self.squares >= 0 else math.nan

    def quantiles(self, shares: tuple[float, ...]) -> list[float]:
        if self.is_exact:
            ordered = self.ordered().astype(np.float64)  # differences of whole numbers may overflow
            return [float(np.quantile(ordered, each)) for each in shares]
        return [float(each) for each in self.sketch.get_quantiles(list(shares))]

    def counts_between(self, edges: NDArray[np.float64]) -> list[int]:
        """How many values lie between neighbouring edges, the outer ones included; they add up."""
        if self.is_exact:
            return [int(each) for each in np.histogram(self.ordered().astype(np.float64), edges)[0]]
        shares = np.asarray(self.sketch.get_cdf([float(each) for each in edges[1:-1]]))
        return [int(each) for each in np.diff(np.round(shares * self.count), prepend=0)]


class Frequent:
    """Rows per value: of all values while they are few, then of the frequent ones."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.counts: dict[Any, int] = {}
        self.sketch: Any = None
        self.is_over = False

    def add(self, present: pl.Series) -> None:
        counted = present.value_counts(name="rows")
        found = zip(counted[present.name].to_list(), counted["rows"].to_list(), strict=True)
        if self.sketch is not None:
            for value, rows in found:
                self.sketch.update(value, rows)
            return
        for value, rows in found:
            self.counts[value] = self.counts.get(value, 0) + rows
        if len(self.counts) > self.most:
            self._leave()

    def _leave(self) -> None:
        self.is_over = True
        if self.most == COUNTED_TEXTS:
            self.sketch = frequent_strings_sketch(FREQUENT_LOG_SIZE)
            for value, rows in self.counts.items():
                self.sketch.update(value, rows)
        self.counts = {}

    def top(self, most: int) -> list[tuple[Any, int]]:
        """The most frequent values; of many texts those that are surely among them."""
        if self.sketch is None:
            found = list(self.counts.items())
        else:
            sure = frequent_items_error_type.NO_FALSE_POSITIVES
            found = [(value, rows) for value, rows, *_ in self.sketch.get_frequent_items(sure)]
        return sorted(found, key=lambda each: (-each[1], each[0]))[:most]
