"""Where a gateway learns routes and rights: the interface, beside the path of requests."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from deployments.serving.routing import Route, RoutingTable
from deployments.serving.traffic import Traffic


class Access(StrEnum):
    """What a token may do at an endpoint."""

    ALLOWED = "allowed"
    UNAUTHENTICATED = "unauthenticated"
    WRONG_SCOPE = "wrong_scope"
    UNKNOWN = "unknown"


class Directory(Protocol):
    """Kept fresh by somebody else; asking it never waits for the database."""

    table: RoutingTable

    async def access(self, authorization: str, route: Route | None) -> Access:
        """What this Authorization header may do at the route (None: there is no such endpoint)."""

    def start(self, traffic: Traffic) -> None:
        """Begin to keep fresh, and to write down the counts."""

    def stop(self) -> None: ...

    def trouble(self) -> str:
        """Why the gateway cannot serve yet; empty when it can."""
