"""What became of a version: packages above say what they made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from core.actors import Actor
from registry.models import ModelVersion


@dataclass(frozen=True)
class Step:
    """One thing made from a version, such as an evaluation or a deployment; ``status`` has a look."""

    kind: str
    title: str
    detail: str
    address: str
    icon: str
    status: str = ""

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "icon"}


Follower = Callable[[Actor, ModelVersion], list[Step]]

_followers: dict[str, tuple[int, Follower]] = {}


def follow(name: str, order: int, follower: Follower) -> None:
    """Ask ``follower`` what came after a version; call from ``AppConfig.ready``.

    It answers only what the actor may see, newest first, and only as many as a page can hold.
    """
    _followers[name] = (order, follower)


def steps_after(actor: Actor, version: ModelVersion) -> list[Step]:
    """Everything that came after the version, in the order of its makers."""
    ordered = sorted(_followers.values(), key=lambda each: each[0])
    return [step for _, follower in ordered for step in follower(actor, version)]
