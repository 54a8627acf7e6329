"""Registering a version from a run or logged model: only from what the caller may see."""

from __future__ import annotations

from audit.services import record_denied
from core.actors import Actor
from core.errors import NotFound
from registry.backends import LoggedModel, Run, tracking_server
from registry.models import ModelVersion
from registry.services.versions import checked_owners
from registry.sources import parse_source

OWNER = "controlplane.owner"


def require(actor: Actor, source: str, run_id: str, model_id: str) -> None:
    """Refuse with 404 what belongs to somebody else, as if it did not exist."""
    run_id, model_id = checked_owners(parse_source(source), run_id, model_id)
    if actor.holds_everywhere("view"):
        return
    tracking = tracking_server()
    if run_id and not _may_see(actor, tracking.run(run_id)):
        raise _refused(actor, f"There is no run {run_id}.")
    if model_id and not _may_see(actor, tracking.logged_model(model_id)):
        raise _refused(actor, f"There is no logged model {model_id}.")


def _may_see(actor: Actor, thing: Run | LoggedModel) -> bool:
    """Its owner, or who sees a version that was made from it."""
    if thing.tags.get(OWNER) == str(actor.person_id):
        return True
    column = "run_id" if isinstance(thing, Run) else "logged_model_id"
    return ModelVersion.objects.visible_to(actor).ready().filter(**{column: thing.id}).exists()


def _refused(actor: Actor, sentence: str) -> NotFound:
    record_denied(
        actor=actor,
        action="tracking.refused",
        reason="It belongs to somebody else.",
        extra={"said": sentence},
    )
    return NotFound(sentence, field="source")
