"""Counting what each deployment answered, per minute and rollout step."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

# Upper bounds of the latency histogram in milliseconds: 12 % apart, 0.5 ms to about 70 s.
BOUNDS_MS = tuple(round(0.5 * 1.12**step, 4) for step in range(105))

Key = tuple[str, int, int]


@dataclass
class Count:
    """Answers of one deployment in one minute of one rollout step."""

    requests: int = 0
    rows: int = 0
    refused: int = 0
    errors: int = 0
    latency: dict[int, int] = field(default_factory=dict)

    def add(self, *, rows: int, status: int, latency_ms: float) -> None:
        self.requests += 1
        if status >= 500:
            self.errors += 1
        elif status >= 400:
            self.refused += 1
        else:
            self.rows += rows
        bucket = min(bisect_left(BOUNDS_MS, latency_ms), len(BOUNDS_MS) - 1)
        self.latency[bucket] = self.latency.get(bucket, 0) + 1


class Traffic:
    """This gateway's counters; the directory writes them down once a second."""

    def __init__(self) -> None:
        self._counts: dict[Key, Count] = {}
        self._changed: set[Key] = set()
        self._lock = threading.Lock()

    def add(self, deployment: str, step: int, *, rows: int, status: int, latency_ms: float) -> None:
        key = (deployment, step, int(time.time() // 60))
        with self._lock:
            self._counts.setdefault(key, Count()).add(rows=rows, status=status, latency_ms=latency_ms)
            self._changed.add(key)

    def take_changed(self) -> list[tuple[Key, Count]]:
        """Whole counts (not increments) that changed since the last call: writing them twice is safe."""
        with self._lock:
            taken = [(key, _copy(self._counts[key])) for key in self._changed]
            self._changed.clear()
            oldest = int(time.time() // 60) - 2
            for key in [key for key in self._counts if key[2] < oldest]:
                del self._counts[key]
        return taken

    def put_back(self, taken: Iterable[tuple[Key, Count]]) -> None:
        """The database was away: try these again."""
        with self._lock:
            for key, count in taken:
                self._counts.setdefault(key, count)
                self._changed.add(key)


def _copy(count: Count) -> Count:
    return Count(count.requests, count.rows, count.refused, count.errors, dict(count.latency))


def quantile_ms(latency: dict[int, int], quantile: float) -> float | None:
    """The quantile's upper bound in milliseconds, at most 12 % too high; None without requests."""
    total = sum(latency.values())
    if not total:
        return None
    reached = 0
    for bucket in sorted(latency):
        reached += latency[bucket]
        if reached >= quantile * total:
            return BOUNDS_MS[bucket]
    return BOUNDS_MS[-1]
