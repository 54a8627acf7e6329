"""Promotion requests: open one, watch it. Decisions are signed in the browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from controlplane_client.records import PromotionRequest
from controlplane_client.resources import Resource, address, given

Watched = Callable[[PromotionRequest], None]
PAUSE = 2.0
# Nothing more happens by itself; what is asked of people counts as waiting.
OVER = {"deployed", "failed", "rejected", "expired", "cancelled", "superseded", "rolled_back"}


class PromotionRequests(Resource):
    def list(
        self, *, status: str | None = None, model: str | None = None, environment: str | None = None
    ) -> Iterator[PromotionRequest]:
        path = address("promotion-requests")
        return self._items(PromotionRequest, path, status=status, model=model, environment=environment)

    def get(self, request: str) -> PromotionRequest:
        return self._item(PromotionRequest, address("promotion-requests", request))

    def open(
        self,
        model: str,
        version: int,
        *,
        why: str,
        environment: str = "production",
        known_limits: str | None = None,
    ) -> PromotionRequest:
        """Ask that a version go to an environment; its evaluation and gates run as jobs."""
        body = given(
            model=model, version=version, environment=environment, why=why, known_limits=known_limits
        )
        return self._send(PromotionRequest, address("promotion-requests"), body)

    def withdraw(self, request: str, *, reason: str) -> PromotionRequest:
        return self._send(
            PromotionRequest, address("promotion-requests", request, "withdraw"), {"reason": reason}
        )

    def watch(
        self,
        request: str,
        *,
        timeout: float = 3600,
        until: set[str] | None = None,
        on_change: Watched | None = None,
    ) -> PromotionRequest:
        """The request once it is over, is in one of ``until``, or the time is up."""
        stop, deadline, shown = OVER | (until or set()), time.monotonic() + timeout, ""
        while True:
            seen = self.get(request)
            if on_change and seen.state != shown:
                shown = seen.state
                on_change(seen)
            if seen.status in stop or time.monotonic() >= deadline:
                return seen
            time.sleep(min(PAUSE, max(0.0, deadline - time.monotonic())))

    def watch_gates(
        self, request: str, *, timeout: float = 3600, on_change: Watched | None = None
    ) -> PromotionRequest:
        """The request once its gates are judged: then it is people's turn, or a gate has failed."""
        deadline, shown = time.monotonic() + timeout, ""
        while True:
            seen = self.get(request)
            if on_change and seen.state != shown:
                shown = seen.state
                on_change(seen)
            if seen.gates or seen.status not in {"draft", "pending"} or time.monotonic() >= deadline:
                return seen
            time.sleep(min(PAUSE, max(0.0, deadline - time.monotonic())))
