"""Deployments: put a version on an endpoint, or go back to one that was live there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from controlplane_client.errors import ControlPlaneError
from controlplane_client.records import Deployment, Endpoint
from controlplane_client.resources import Resource, address, given

PAUSE = 1.0
OVER = {"live", "standby", "retired", "failed", "aborted", "rolled_back"}


class Deployments(Resource):
    def list(
        self, *, model: str | None = None, environment: str | None = None, status: str | None = None
    ) -> Iterator[Deployment]:
        path = address("deployments")
        return self._items(Deployment, path, model=model, environment=environment, status=status)

    def get(self, deployment: str) -> Deployment:
        return self._item(Deployment, address("deployments", deployment))

    def start(self, model: str, version: int, *, environment: str, reason: str | None = None) -> Deployment:
        """A protected environment asks for an approved promotion request."""
        body = given(model=model, version=version, environment=environment, reason=reason)
        return self._send(Deployment, address("deployments"), body)

    def endpoint(self, model: str, environment: str) -> Endpoint:
        """The stable address of the model in the environment."""
        found = self._items(Endpoint, address("endpoints"), model=model, environment=environment)
        endpoint = next(found, None)
        if endpoint is None:
            raise ControlPlaneError(
                {"status": 404, "code": "not_found", "detail": f"{model} has no endpoint in {environment}."}
            )
        return endpoint

    def roll_back(self, model: str, *, environment: str, version: int, reason: str) -> Deployment:
        """To the newest deployment of a version that was live there; needs no new approval."""
        endpoint = self.endpoint(model, environment)
        body = {"version": version, "reason": reason}
        return self._send(Deployment, address("endpoints", endpoint.id, "rollback"), body)

    def wait(
        self,
        deployment: str,
        *,
        timeout: float = 1800,
        on_change: Callable[[Deployment], None] | None = None,
    ) -> Deployment:
        """The deployment once it is live, over, paused, or the time is up."""
        deadline, shown = time.monotonic() + timeout, ""
        while True:
            seen = self.get(deployment)
            if on_change and f"{seen.status} {seen.weight}" != shown:
                shown = f"{seen.status} {seen.weight}"
                on_change(seen)
            if seen.status in OVER or seen.is_paused or time.monotonic() >= deadline:
                return seen
            time.sleep(min(PAUSE, max(0.0, deadline - time.monotonic())))
