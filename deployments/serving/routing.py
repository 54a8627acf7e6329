"""Which deployments answer an endpoint, and in which proportion."""

from __future__ import annotations

import hashlib
import os
import random
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from deployments.serving.schema import Schema, schema_from

STABLE, CANARY, SHADOW = "stable", "canary", "shadow"


@dataclass(frozen=True)
class Variant:
    """One deployment that may answer. ``step`` is the rollout's step its traffic counts for."""

    deployment: str
    version: int
    slot: str
    weight: int
    socket: str
    step: int = 0
    signature: dict[str, Any] = field(default_factory=dict)
    known: dict[str, list[str]] = field(default_factory=dict)

    @cached_property
    def schema(self) -> Schema:
        return schema_from(self.signature, known=self.known)


@dataclass(frozen=True)
class Route:
    """One endpoint: a model in an environment."""

    endpoint: str
    environment: str
    model: str
    model_id: str
    event_time_column: str
    variants: tuple[Variant, ...]

    @cached_property
    def stable(self) -> Variant | None:
        return next((each for each in self.variants if each.slot == STABLE), None)

    @cached_property
    def canary(self) -> Variant | None:
        return next((each for each in self.variants if each.slot == CANARY and each.weight > 0), None)

    @cached_property
    def shadows(self) -> tuple[Variant, ...]:
        return tuple(each for each in self.variants if each.slot == SHADOW)

    def choose(self, key: str | None) -> Variant | None:
        """The variant for a request: the same one for the same key while weights only grow."""
        if self.canary is not None and _point(self.endpoint, key) * 100 < self.canary.weight:
            return self.canary
        return self.stable  # none, and a canary never answers more than its share


def _point(endpoint: str, key: str | None) -> float:
    """Somewhere from 0 to 1: fixed by the key, or drawn."""
    if key is None:
        return random.random()  # noqa: S311 - a traffic split, not a secret
    digest = hashlib.sha256(f"{endpoint}\x1f{key}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


class RoutingTable:
    """Every endpoint, by environment and model name."""

    def __init__(self, routes: list[Route], document: dict[str, Any] | None = None) -> None:
        self.document = document or {"routes": []}
        self._routes = {(route.environment, route.model): route for route in routes}

    def __len__(self) -> int:
        return len(self._routes)

    def route(self, environment: str, model: str) -> Route | None:
        return self._routes.get((environment, model))

    def sockets(self) -> set[str]:
        return {variant.socket for route in self._routes.values() for variant in route.variants}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> RoutingTable:
        routes = [
            Route(**{**each, "variants": tuple(Variant(**variant) for variant in each["variants"])})
            for each in document["routes"]
        ]
        return cls(routes, document)


def write_private(path: Path, text: str) -> None:
    """Replace a file at once; nobody but us may read it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.replace(fresh, path)
