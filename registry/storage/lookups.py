"""Finding what is written of a deleted version."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.actors import Actor
from core.errors import NotFound
from registry.lookups import find_model, require_sight
from registry.models import RegisteredModel
from registry.storage.models import Tombstone


def find_tombstone(request: Any, key: UUID) -> Tombstone:
    """By its own id; 404 alike for what is not there and what may not be read."""
    require_sight(request.actor)
    stone = Tombstone.objects.readable_by(request.actor).in_lists().filter(pk=key).first()
    if stone is None:
        raise NotFound("There is no such deleted version.")
    return stone


def may_list_deleted(actor: Actor) -> bool:
    """Whether the list of deleted versions could show this actor anything at all."""
    everywhere = actor.holds_everywhere("administer") or actor.holds_everywhere("audit")
    return everywhere or RegisteredModel.objects.granting(actor, "administer").exists()


def tombstone_at(request: Any, name: str, number: int) -> Tombstone | None:
    """What was deleted at the address of a version, for those who may see the model."""
    model = find_model(request, name)
    stones = Tombstone.objects.in_lists().filter(version__model=model)
    return stones.filter(number=number).first() if number < 2**31 else None
