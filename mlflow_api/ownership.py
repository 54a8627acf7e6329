"""Registering a version from a run or logged model: told at once whether that may be."""

from __future__ import annotations

from audit.services import record_denied
from core.actors import Actor
from core.errors import NotFound
from registry.backends import tracking_server
from registry.ownership import require_own
from registry.services.versions import checked_owners
from registry.sources import parse_source


def require(actor: Actor, source: str, run_id: str, model_id: str) -> None:
    """Refuse now what the worker would refuse later: a source that belongs to somebody else."""
    run_id, model_id = checked_owners(parse_source(source), run_id, model_id)
    tracking = tracking_server()
    run = tracking.owner_of_run(run_id) if run_id else None
    logged_model = tracking.owner_of_logged_model(model_id) if model_id else None
    try:
        require_own(actor, run, logged_model)
    except NotFound as error:
        record_denied(
            actor=actor,
            action="tracking.refused",
            reason="It belongs to somebody else.",
            extra={"said": error.message},
        )
        raise
