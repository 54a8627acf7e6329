"""Latency histograms that merge, with the standard library alone (the web reads them too)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

STEPS_PER_OCTAVE = 32
SHORTEST_MS = 2.0**-10


@dataclass
class LatencyHistogram:
    """Counts of durations in buckets 1/32 of an octave wide: quantiles are within 1.1 %.

    ``counts`` maps a bucket's number to its requests; merging adds, in any order.
    """

    counts: dict[int, int] = field(default_factory=dict)

    def add(self, latency_ms: float, requests: int = 1) -> None:
        """Count ``requests`` that took ``latency_ms`` milliseconds each."""
        number = bucket_of(latency_ms)
        self.counts[number] = self.counts.get(number, 0) + requests

    def merged(self, other: LatencyHistogram) -> LatencyHistogram:
        both = dict(self.counts)
        for number, requests in other.counts.items():
            both[number] = both.get(number, 0) + requests
        return LatencyHistogram(both)

    @property
    def requests(self) -> int:
        return sum(self.counts.values())

    def quantile(self, share: float) -> float | None:
        """The latency in ms that ``share`` (0 to 1) of the requests do not exceed; None if empty.

        The rank is rounded up as numpy's ``inverted_cdf`` does; the answer is its bucket's middle.
        """
        rank = max(1, math.ceil(share * self.requests))
        for number in sorted(self.counts):
            rank -= self.counts[number]
            if rank <= 0:
                return middle_of(number)
        return None

    def share_within(self, limit_ms: float) -> float | None:
        """The share of requests in buckets up to the one that holds ``limit_ms``."""
        total, last = self.requests, bucket_of(limit_ms)
        within = sum(requests for number, requests in self.counts.items() if number <= last)
        return within / total if total else None

    def to_json(self) -> dict[str, int]:
        return {str(number): requests for number, requests in sorted(self.counts.items())}

    @classmethod
    def from_json(cls, value: Mapping[str, int]) -> LatencyHistogram:
        return cls({int(number): int(requests) for number, requests in value.items()})

    @classmethod
    def of(cls, latencies_ms: Iterable[float]) -> LatencyHistogram:
        histogram = cls()
        for latency_ms in latencies_ms:
            histogram.add(latency_ms)
        return histogram

    @classmethod
    def all_of(cls, parts: Iterable[LatencyHistogram]) -> LatencyHistogram:
        """The histogram of all parts' requests together."""
        both: dict[int, int] = {}
        for part in parts:
            for number, requests in part.counts.items():
                both[number] = both.get(number, 0) + requests
        return cls(both)


def bucket_of(latency_ms: float) -> int:
    """The number of the bucket; ValueError for NaN, infinity and negative durations."""
    if not 0 <= latency_ms < math.inf:
        raise ValueError("A latency is a finite number of milliseconds, at least 0.")
    if latency_ms < SHORTEST_MS:
        return 0
    return 1 + math.floor(math.log2(latency_ms / SHORTEST_MS) * STEPS_PER_OCTAVE)


def middle_of(number: int) -> float:
    """The geometric middle of a bucket, in ms."""
    if number <= 0:
        return 0.0
    return SHORTEST_MS * 2.0 ** ((number - 0.5) / STEPS_PER_OCTAVE)
