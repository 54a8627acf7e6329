"""Is the next data overdue? Two clocks: what the data speaks of, and when it came.

The event clock follows the watermark, the largest event time of the versions in use: data may
arrive on time and still tell of last week. The arrival clock follows when the last version was read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

EVENT, ARRIVAL = "event", "arrival"
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=3660)
UNITS = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1), "days": timedelta(days=1)}


@dataclass(frozen=True)
class Freshness:
    """Where both clocks stand, and when the chosen one must have moved on."""

    clock: str
    expected_every: timedelta | None
    watermark: datetime | None
    arrived_at: datetime | None
    created_at: datetime
    now: datetime

    @property
    def follows(self) -> str:
        """The clock that counts: without event times the arrival clock stands in."""
        return EVENT if self.clock == EVENT and self.watermark is not None else ARRIVAL

    @property
    def reached(self) -> datetime:
        """How far the clock that counts has come; a data set without data started when it was made."""
        if self.follows == EVENT and self.watermark is not None:
            return self.watermark
        return self.arrived_at or self.created_at

    @property
    def due_at(self) -> datetime | None:
        """When something newer must be there."""
        return self.reached + self.expected_every if self.expected_every is not None else None

    @property
    def is_late(self) -> bool:
        return self.due_at is not None and self.due_at < self.now

    @property
    def late_by(self) -> timedelta | None:
        return self.now - self.due_at if self.is_late and self.due_at is not None else None

    @property
    def late_words(self) -> str:
        return about(self.late_by)

    @property
    def expected_words(self) -> str:
        return words_of(self.expected_every)

    @property
    def finding(self) -> str:
        """What is late, as people say it."""
        every = words_of(self.expected_every)
        if self.follows == EVENT:
            return f"data ends at {self.reached:%Y-%m-%d %H:%M} UTC, newer data is expected every {every}"
        if self.arrived_at is None:
            return f"no version has come yet, one is expected every {every}"
        return f"the last version came at {self.reached:%Y-%m-%d %H:%M} UTC, one is expected every {every}"


def words_of(interval: timedelta | None) -> str:
    """``3 days``, ``90 minutes``; the largest unit that leaves nothing over."""
    if interval is None:
        return "no interval"
    count, unit = split(interval)
    return unit.removesuffix("s") if count == 1 else f"{count} {unit}"


def about(interval: timedelta | None) -> str:
    """A span in its largest unit that is at least two: ``3 days``, ``5 hours``."""
    if interval is None:
        return ""
    for unit in ("days", "hours"):
        if interval >= 2 * UNITS[unit]:
            return f"{interval // UNITS[unit]:,} {unit}"
    minutes = max(1, interval // UNITS["minutes"])
    return f"{minutes} minute{'s' * (minutes > 1)}"


def split(interval: timedelta) -> tuple[int, str]:
    """An interval as a whole number of days, hours or minutes."""
    for unit in ("days", "hours"):
        if interval % UNITS[unit] == timedelta(0):
            return interval // UNITS[unit], unit
    return max(1, round(interval / UNITS["minutes"])), "minutes"
