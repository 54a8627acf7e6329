"""Changes to evaluations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor, holds
from core.canonical import canonical_json, sha256_hex
from core.errors import Conflict, NotAllowed
from core.events import emit
from core.jobs import enqueue
from pipelines.models import DatasetVersion
from pipelines.services import require_usable
from registry.evaluations.models import Evaluation
from registry.models import ModelVersion

EVALUATE = "registry.evaluate"
FINISHED = "registry.evaluation_finished"
Status = Evaluation.Status


@dataclass(frozen=True)
class Outcome:
    """What a worker measured."""

    comparison: dict[str, Any]
    slices: list[dict[str, Any]]
    latency: dict[str, Any]
    rows: int
    blocks: int
    sandbox: str
    cpu_seconds_per_1000: float | None
    scores_digest: str = ""


@command
def request_evaluation(
    *, actor: Actor, candidate: ModelVersion, champion: ModelVersion | None, dataset_version: DatasetVersion
) -> Evaluation:
    """Ask for the candidate to be scored against the champion on the same held-out rows.

    The same question on the same bytes that is running or was answered is not asked twice.
    """
    if not (holds(actor, "register", candidate.model) or holds(actor, "propose", candidate.model)):
        raise NotAllowed(
            f"You may not have {candidate} evaluated; it needs the right to register or propose."
        )
    for version in filter(None, (candidate, champion)):
        if not version.is_ready:
            raise Conflict(f"{version} {version.state_words}, so it cannot be evaluated.")
    if champion is not None and champion.model_id != candidate.model_id:
        raise Conflict(f"{champion} is a version of another model than {candidate}.")
    require_usable(dataset_version)
    asked = {
        "candidate": candidate,
        "champion": champion,
        "dataset_version": dataset_version,
        "candidate_digest": candidate.digest,
        "champion_digest": champion.digest if champion else "",
        "dataset_digest": dataset_version.digest,
    }
    known = Evaluation.objects.filter(**asked).exclude(status=Status.FAILED).order_by("-created_at").first()
    if known is not None:
        return known
    evaluation = Evaluation.objects.create(
        **asked, holdout_kind=candidate.holdout.get("kind", ""), requested_by_name=actor.account_name
    )
    after = {
        "candidate": candidate.number,
        "champion": champion.number if champion else None,
        "dataset_version": str(dataset_version),
    }
    record(actor=actor, action="registry.evaluation_requested", target=evaluation, after=after)
    enqueue(EVALUATE, subject=evaluation, actor=actor, model=candidate.model)
    return evaluation


@command
def begin(*, actor: Actor, evaluation: Evaluation, fence: int) -> Evaluation:
    """A worker takes it; one that took it earlier loses its word."""
    row = _locked(evaluation)
    if row.is_over or row.fence >= fence:
        raise Conflict(f"The {row} is {row.status}.")
    row.move_to(Status.RUNNING, fence=fence)
    return row


@command
def finish(*, actor: Actor, evaluation: Evaluation, fence: int, outcome: Outcome) -> Evaluation:
    """Keep the result with its digest."""
    row = _locked(evaluation)
    if row.fence != fence or row.status != Status.RUNNING:
        raise Conflict(f"The {row} is no longer this worker's.")
    digest = sha256_hex(
        canonical_json(
            {
                "candidate": row.candidate_digest,
                "champion": row.champion_digest,
                "dataset": row.dataset_digest,
                "seed": row.seed,
                "comparison": outcome.comparison,
                "slices": outcome.slices,
                "scores": outcome.scores_digest,
            }
        )
    )
    row.move_to(
        Status.SUCCEEDED,
        comparison=outcome.comparison,
        slices=outcome.slices,
        latency=outcome.latency,
        rows=outcome.rows,
        blocks=outcome.blocks,
        sandbox=outcome.sandbox,
        cpu_seconds_per_1000=outcome.cpu_seconds_per_1000,
        scores_digest=outcome.scores_digest,
        result_sha256=digest,
        finished_at=Now(),
    )
    after = {"rows": outcome.rows, "result_sha256": digest, "sandbox": outcome.sandbox}
    record(actor=actor, action="registry.evaluation_succeeded", target=row, after=after)
    emit(
        FINISHED,
        row,
        {"status": row.status, "model": row.candidate.model.name, "candidate": str(row.candidate_id)},
    )
    return row


@command
def fail(*, actor: Actor, evaluation: Evaluation, fence: int, reason: str) -> Evaluation:
    """It could not be answered; the reason is for people."""
    row = _locked(evaluation)
    if row.is_over or row.fence != fence:
        return row
    row.move_to(Status.FAILED, failure=reason.replace("\x00", "")[:1000], finished_at=Now())
    record(actor=actor, action="registry.evaluation_failed", target=row, reason=reason, outcome="failed")
    emit(FINISHED, row, {"status": row.status, "model": row.candidate.model.name})
    return row


def _locked(evaluation: Evaluation) -> Evaluation:
    return (
        Evaluation.objects.select_for_update(of=("self",))
        .select_related("candidate__model", "champion", "dataset_version__dataset")
        .get(pk=evaluation.pk)
    )
