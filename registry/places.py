"""Where a version and its model can be read now, for pages that outlive them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from core.actors import Actor
from registry.models import ModelVersion
from registry.storage.models import Tombstone


@dataclass(frozen=True)
class Places:
    """Addresses; empty where nothing can be opened. ``tombstone`` is there once the version is deleted."""

    model: str
    version: str
    tombstone: Tombstone | None = None
    is_deleted: bool = False


def places_of(actor: Actor, version: ModelVersion) -> Places:
    """A name is never followed once its model is deleted: it may be another model's by now."""
    model = f"/models/{quote(version.model.name, safe='')}/" if version.model.deleted_at is None else ""
    if version.deleted_at is None:
        return Places(model, f"{model}versions/{version.number}/" if model else "")
    stones = Tombstone.objects.in_lists().readable_by(actor)
    stone = stones.filter(version=version).first()
    return Places(model, stone.address if stone else "", stone, is_deleted=True)
