"""Jobs: every 202 points at one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from controlplane_client.errors import ControlPlaneError
from controlplane_client.records import Job
from controlplane_client.resources import Resource, address

Progress = Callable[[Job], None]
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0


class Jobs(Resource):
    def list(self, *, status: str | None = None) -> Iterator[Job]:
        return self._items(Job, address("jobs"), status=status)

    def get(self, job: str) -> Job:
        """By id, or by the address a 202 answered."""
        return self._item(Job, address("jobs", job.rstrip("/").rsplit("/", 1)[-1]))

    def wait(self, job: str, *, timeout: float = 600, on_progress: Progress | None = None) -> Job:
        """The job once it is over; ControlPlaneError with code ``timeout`` when it takes longer."""
        pause, deadline = FIRST_PAUSE, time.monotonic() + timeout
        while True:
            seen = self.get(job)
            if on_progress:
                on_progress(seen)
            if seen.is_over:
                return seen
            if time.monotonic() > deadline:
                raise ControlPlaneError(
                    {
                        "code": "timeout",
                        "title": "Timeout",
                        "detail": f"The job is {seen.status} after {timeout:g} s.",
                    }
                )
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
