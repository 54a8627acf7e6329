"""Whose runs and logged models may become versions: one's own, or what one may see anyway."""

from __future__ import annotations

from core.actors import Actor
from core.errors import NotFound
from registry.backends import Owned
from registry.models import ModelVersion


def require_own(actor: Actor, run: Owned | None, logged_model: Owned | None) -> None:
    """Refuse what belongs to somebody else as if it did not exist."""
    if run is not None and not may_use(actor, run):
        raise NotFound(f"There is no run {run.id}.", field="source")
    if logged_model is not None and not may_use(actor, logged_model):
        raise NotFound(f"There is no logged model {logged_model.id}.", field="source")


def may_use(actor: Actor, thing: Owned) -> bool:
    """Its owner may, and whoever sees a version that was made from it."""
    if actor.holds_everywhere("view") or thing.owner == str(actor.person_id):
        return True
    return ModelVersion.objects.visible_to(actor).ready().filter(**{thing.column: thing.id}).exists()
