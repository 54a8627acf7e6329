"""How often somebody may ask: for long, and at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

MOST_CALLERS = 50_000


@dataclass(frozen=True)
class Rate:
    """So many in a second for long, so many at once; 0 is without limit."""

    per_second: float
    burst: float


# More than two cores answer: whoever serves more people, or fewer machines, says less.
FOR_ACCOUNTS = Rate(per_second=1000, burst=10_000)
FOR_ADDRESSES = Rate(per_second=100, burst=1000)


class Pace:
    """The generic cell rate algorithm: per caller one moment, before which its burst is used up."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.clock = rate, clock
        self._due: dict[str, float] = {}

    def wait_of(self, caller: str, cost: float) -> float:
        """Take what the request costs and answer 0; or the seconds after which it may come again."""
        if not self.rate.per_second:
            return 0.0
        now = self.clock()
        due = max(self._due.get(caller, now), now) + cost / self.rate.per_second
        late = due - now - self.rate.burst / self.rate.per_second
        if late > 1e-9:
            return late
        if caller not in self._due and len(self._due) >= MOST_CALLERS:
            self._forget(now)
        self._due[caller] = due
        return 0.0

    def charge(self, caller: str, cost: float) -> None:
        """Let what has been answered already cost more, at most the whole burst."""
        if self.rate.per_second:
            now = self.clock()
            due = max(self._due.get(caller, now), now) + cost / self.rate.per_second
            self._due[caller] = min(due, now + self.rate.burst / self.rate.per_second)

    def _forget(self, now: float) -> None:
        """Who asks for nothing any more; and everybody, should so many ask at once."""
        self._due = {caller: due for caller, due in self._due.items() if due > now}
        if len(self._due) >= MOST_CALLERS:
            self._due.clear()
