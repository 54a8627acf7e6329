"""What a run said after its version was registered: clients log on until the run ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import NotAllowed, NotFound
from registry.lineage import Use
from registry.locks import locked_version, touch
from registry.models import ModelVersion, VersionDataset
from registry.ownership import may_use
from registry.retention import reasons_to_keep
from registry.run_facts import RunFacts
from registry.tracked import Run


@command
def settle_run(
    *, actor: Actor, version: ModelVersion, facts: RunFacts, data: Sequence[Use], left_out: str = ""
) -> ModelVersion:
    """Keep what the run had logged when it ended; once, and never of a run that had ended before.

    Data, hold-out and code are what decisions rest on: of a version that is needed they stay as
    they were. ``left_out`` says what of the run could not be read.
    """
    if not actor.is_system:
        raise NotAllowed("Only a worker reads runs.")
    row = locked_version(version)
    if not row.is_run_going:
        return row
    is_open = not reasons_to_keep([row])
    changed: dict[str, Any] = {"run": facts.run, "parameters": facts.parameters, "metrics": facts.metrics}
    if is_open:
        changed |= {"code_commit": facts.code_commit, "holdout": facts.holdout}
    before = {name: getattr(row, name) for name in changed if name != "run"}
    ModelVersion.objects.filter(pk=row.pk).update(**changed, rev=F("rev") + 1, last_updated_at=Now())
    if is_open:
        VersionDataset.objects.bulk_create(
            (VersionDataset(version=row, dataset_version=found, role=role) for role, found in data),
            ignore_conflicts=True,
        )
    touch(row.model)
    row.refresh_from_db()
    after = {name: getattr(row, name) for name in before} | {"run_status": row.run.get("status")}
    record(
        actor=actor,
        action="registry.run_settled",
        target=row,
        before=before,
        after=after,
        reason=left_out[:1000],
    )
    return row


@command
def note_run_download(*, actor: Actor, run: Run, path: str, logged_model_id: str = "") -> None:
    """Reading what a run logged leaves an event, as reading a version's files does."""
    if not may_use(actor, run.owned):
        raise NotFound(f"There is no run {run.id}.")
    after = {"path": path, **({"logged_model_id": logged_model_id} if logged_model_id else {})}
    record(actor=actor, action="registry.run_file_downloaded", target=run.target, after=after)
