"""Whose runs and logged models may become versions: one's own, or what one may see anyway."""

from __future__ import annotations

from collections.abc import Mapping

from audit.services import record_denied
from core.actors import Actor
from core.errors import NotFound
from registry.backends import storage_path, tracking_server
from registry.models import ModelVersion
from registry.sources import Source
from registry.tracked import Owned


def refuse_early(actor: Actor, source: Source, run_id: str, model_id: str) -> None:
    """Refuse now what the worker would refuse later: what is somebody else's, or kept elsewhere."""
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
    home = logged_model or run
    if home is not None and source.kind in {"run", "logged_model", "artifacts"}:
        storage_path(home.artifact_uri)


def require_own(actor: Actor, run: Owned | None, logged_model: Owned | None) -> None:
    """Refuse what belongs to somebody else as if it did not exist."""
    if run is not None and not may_use(actor, run):
        raise NotFound(f"There is no run {run.id}.", field="source")
    if logged_model is not None and not may_use(actor, logged_model):
        raise NotFound(f"There is no logged model {logged_model.id}.", field="source")


def may_use(actor: Actor, thing: Owned) -> bool:
    """Its owner may, and whoever sees a version that its owner made from it."""
    if actor.holds_everywhere("view") or thing.owner == str(actor.person_id):
        return True
    return bool(seen_through_versions(actor, thing.column, {thing.id: thing.owner}))


def seen_through_versions(actor: Actor, column: str, owners: Mapping[str, str]) -> set[str]:
    """Those of the things, given with their owners, that the actor sees a version of which the owner made.

    A version somebody else made of them does not count: by a copy of their own people would read on in a
    run after its versions were hidden from them.
    """
    made = ModelVersion.objects.visible_to(actor).ready().filter(**{f"{column}__in": list(owners)})
    found = made.values_list(column, "created_by__person_id").distinct()
    return {name for name, person in found if str(person) == owners[name]}
