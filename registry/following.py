"""Reading a run again that ended after its version was registered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.actors import Actor
from core.errors import Invalid, NotFound
from registry.lineage import creator_of, found_data
from registry.models import ModelVersion
from registry.ownership import may_use
from registry.run_facts import RunFacts, facts_of
from registry.services import settle_run
from registry.tracked import LoggedModel

if TYPE_CHECKING:
    from registry.tracking import TrackingServer

HIDDEN = "Whoever registered the version may no longer see the run."


def settle(version: ModelVersion, *, tracking: TrackingServer, actor: Actor) -> None:
    """Read the run of a version again, which has ended since; what cannot be read stays as it was."""
    run = tracking.run(version.run_id)
    if not may_use(creator_of(version), run.owned):
        settle_run(actor=actor, version=version, facts=_as_it_was(version), data=[], left_out=HIDDEN)
        return
    logged_model = _logged_model(version, tracking)
    try:
        facts = facts_of(run, logged_model)
        data = found_data(facts.datasets, version)
    except Invalid as error:  # such as a tag that is no JSON
        facts, left_out = facts_of(replace(run, tags={}), logged_model), error.message
        facts.code_commit, facts.holdout = version.code_commit, version.holdout
        settle_run(actor=actor, version=version, facts=facts, data=[], left_out=left_out)
    else:
        settle_run(actor=actor, version=version, facts=facts, data=data)


def _as_it_was(version: ModelVersion) -> RunFacts:
    return RunFacts(
        run={**version.run, "status": "UNKNOWN"},
        parameters=version.parameters,
        metrics=version.metrics,
        code_commit=version.code_commit,
        holdout=version.holdout,
    )


def _logged_model(version: ModelVersion, tracking: TrackingServer) -> LoggedModel | None:
    """One that was deleted since must not keep its run, and all that wait behind it, from being read."""
    if not version.logged_model_id:
        return None
    try:
        return tracking.logged_model(version.logged_model_id)
    except NotFound:
        return None
