"""The workers' door: evaluate in the sandbox, judge outside it."""

from __future__ import annotations

import tempfile
from array import array
from datetime import timedelta
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings

from core.actors import Actor
from core.errors import Conflict, DomainError, TryLater
from core.jobs import Lease, job, periodic
from core.jobs.models import Job
from core.object_store import store
from measures.latency import LatencyHistogram
from pipelines.sandbox import Limits, Mount, ask
from registry.evaluations import services
from registry.evaluations.models import Evaluation
from registry.evaluations.services import EVALUATE, Outcome
from registry.integrity import materialise
from registry.models import ModelVersion

CANDIDATE, CHAMPION = "candidate", "champion"
SCORING = "registry.evaluations.compute.scoring"
JUDGING = "registry.evaluations.compute.judging"
LIMITS = Limits(cpu_seconds=240, wall_seconds=300, memory_bytes=4 << 30)
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@job(EVALUATE, subject=Evaluation, queue="evaluations", limit=timedelta(minutes=15), max_attempts=3)
def evaluate(lease: Lease, evaluation: Evaluation) -> dict[str, Any]:
    """Score both versions on the same rows; only the holder of the newest fence writes the result."""
    actor = Actor.system(lease)
    try:
        row = services.begin(actor=actor, evaluation=evaluation, fence=lease.fence)
    except Conflict:
        return {"status": evaluation.status}
    try:
        outcome = _measure(lease, row, actor)
    except TryLater as error:
        if lease.attempt >= lease.job.max_attempts:
            services.fail(actor=actor, evaluation=row, fence=lease.fence, reason=str(error))
        raise
    except (DomainError, ValueError) as error:
        services.fail(actor=actor, evaluation=row, fence=lease.fence, reason=str(error))
        # Who sees the model sees the job; the cause may speak of data that is hidden from them.
        raise DomainError("The evaluation failed; its page says why.") from error
    lease.check()
    done = services.finish(actor=actor, evaluation=row, fence=lease.fence, outcome=outcome)
    return {"status": done.status, "rows": done.rows, "result_sha256": done.result_sha256}


@periodic("registry.fail_stalled_evaluations", every=timedelta(minutes=1))
@job("registry.fail_stalled_evaluations", limit=timedelta(minutes=2))
def fail_stalled_evaluations(lease: Lease) -> dict[str, Any]:
    """An evaluation whose job gave up or was cancelled has failed; nothing runs for ever."""
    failed = 0
    for evaluation in Evaluation.objects.unfinished()[:500]:
        last = Job.objects.about(evaluation).order_by("-created_at").first()
        if last is not None and last.is_over:
            services.fail(
                actor=Actor.system(lease),
                evaluation=evaluation,
                fence=evaluation.fence,
                reason=last.failure or "Its job ended.",
            )
            failed += 1
    return {"failed": failed}


def _measure(lease: Lease, evaluation: Evaluation, actor: Actor) -> Outcome:
    dataset, label = evaluation.dataset_version.dataset, _label_of(evaluation)
    versions = {CANDIDATE: evaluation.candidate, CHAMPION: evaluation.champion}
    scores: dict[str, list[float]] = {}
    latency: dict[str, dict[str, float | None]] = {}
    sandbox, cpu = "", None
    with tempfile.TemporaryDirectory(prefix="evaluation-") as name:
        work = Path(name)
        rows = work / "rows.parquet"
        copied = store().copy_to(evaluation.dataset_digest, rows)
        if copied.digest != evaluation.dataset_digest:
            raise DomainError("The stored rows are not those that were registered.", code="digest_mismatch")
        for share, (role, version) in enumerate(versions.items()):
            if version is None:
                continue
            lease.progress(5 + share * 35, f"Scoring {version} in the sandbox")
            answer, sandbox = _scored(lease, version, work / role, rows, actor)
            scores[role] = answer["scores"]
            histogram = LatencyHistogram.of(answer["latency_ms"])
            latency[role] = {word: histogram.quantile(quantile) for word, quantile in QUANTILES.items()}
            if role == CANDIDATE and scores[role]:
                cpu = answer["cpu_seconds"] / len(scores[role]) * 1000
        lease.progress(80, "Intervals by day, and slices")
        # Imported by the worker alone: numpy and polars have no place in the web's processes.
        found = import_module(JUDGING).judged(
            rows,
            scores,
            label=label,
            event_time=dataset.event_time_column,
            group=evaluation.candidate.holdout.get("group_column", ""),
            seed=evaluation.seed,
        )
    return Outcome(
        comparison=found["comparison"],
        slices=found["slices"],
        latency=latency,
        rows=found["rows"],
        blocks=found["blocks"],
        sandbox=sandbox,
        cpu_seconds_per_1000=cpu,
        scores_digest=store().put_stream(BytesIO(array("d", scores[CANDIDATE]).tobytes())).digest,
    )


def _label_of(evaluation: Evaluation) -> str:
    """The column with the right answers; asked first, since scoring without one is for nothing."""
    dataset = evaluation.dataset_version.dataset
    label = str(dataset.label_column or evaluation.candidate.holdout.get("label_column", ""))
    if not label:
        raise DomainError(
            "The hold-out's data set names no label column, so nothing says which answers are right."
            " Name it under Edit on the data set's page.",
            code="no_label_column",
        )
    return label


def _scored(
    lease: Lease, version: ModelVersion, folder: Path, rows: Path, actor: Actor
) -> tuple[dict[str, Any], str]:
    """The version's proven files, scored in a sandbox of their own."""
    materialise(version, folder, actor=actor)
    answer, program = ask(
        SCORING,
        {"model": "/model", "rows": "/rows.parquet"},
        mounts=[Mount(folder, "/model"), Mount(rows, "/rows.parquet")],
        limits=LIMITS,
        required=settings.SANDBOX == "required",
        watch=lease.check,
    )
    lease.log(
        f"{version}: {len(answer['scores'])} rows, {program.cpu_seconds:.1f} s of processor time, {program.level}"
    )
    return answer, program.level
