"""One refresh of an endpoint: read what is new, compute what is stale, replace those windows.

Reading and computing happen outside of transactions; every write holds the watch's fence, so
of two refreshes only the newer one writes, and it computes everything that is still marked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction

from core.jobs import Lease
from deployments.models import Endpoint
from monitoring.models import Watch
from monitoring.services import hold_fence, take_fence, watch_of


@dataclass(frozen=True)
class Run:
    """A refresh under way."""

    lease: Lease
    endpoint: Endpoint
    watch: Watch
    fence: int

    @classmethod
    def begin(cls, lease: Lease, endpoint: Endpoint) -> Run:
        with transaction.atomic():
            watch = watch_of(endpoint)
            fence = take_fence(watch)
        return cls(lease, endpoint, watch, fence)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction in which windows are replaced; Conflict when a newer refresh has begun."""
        self.lease.check()
        with transaction.atomic():
            hold_fence(self.watch, self.fence)
            yield
