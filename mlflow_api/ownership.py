"""Registering a version from a run or logged model: told at once whether that may be."""

from __future__ import annotations

from core.actors import Actor
from registry.ownership import refuse_early
from registry.services.versions import checked_owners
from registry.sources import parse_source


def require(actor: Actor, source: str, run_id: str, model_id: str) -> None:
    """As the worker would refuse it later."""
    parsed = parse_source(source)
    refuse_early(actor, parsed, *checked_owners(parsed, run_id, model_id))
