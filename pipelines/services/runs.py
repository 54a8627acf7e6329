"""Changes to pipeline runs."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, NotAllowed
from core.events import emit
from core.jobs import enqueue
from core.jobs.models import Job
from core.jobs.run import cancel
from core.text import checked_json
from pipelines import rights
from pipelines.models import DatasetVersion, Pipeline, PipelineRun, RunDataset
from pipelines.recipes import recipe_of
from pipelines.services.validity import require_valid

RUN = "pipelines.run"
RUN_ENDED = "pipelines.run_ended"
LOG_LINES = 500
Status = PipelineRun.Status


@command(refusals=(NotAllowed, Conflict))
def start_run(*, actor: Actor, pipeline: Pipeline, parameters: dict[str, Any]) -> PipelineRun:
    """Start a pipeline; data that breaks its contract stops it here, with the rule's sentence."""
    if not rights.may_create(actor):
        raise NotAllowed("You may not start pipelines; the role data-scientist may.")
    recipe = recipe_of(pipeline.recipe)
    checked = recipe.checked(parameters)
    data = recipe.data(actor, checked)
    for version in data:
        require_valid(version)
    run = PipelineRun.objects.create(pipeline=pipeline, parameters=checked, started_by_id=actor.account_id)
    use_data(actor=actor, run=run, versions=data, role=RunDataset.Role.TRAINING)
    job = enqueue(RUN, subject=run, actor=actor, queue=recipe.queue)
    PipelineRun.objects.filter(pk=run.pk).update(job_id=job.pk)
    after = {"parameters": checked, "data": [str(each) for each in data]}
    record(actor=actor, action="pipelines.run_started", target=run, after=after)
    run.refresh_from_db()
    return run


@command
def begin_run(
    *, actor: Actor, run: PipelineRun, code_commit: str, environment: dict[str, Any]
) -> PipelineRun:
    """A worker has taken the run; what code and packages it runs with is kept."""
    _require_worker(actor)
    run.move_to(
        Status.RUNNING,
        code_commit=code_commit[:100],
        environment=checked_json(environment, "environment"),
        started_at=Now(),
    )
    return run


@command
def use_data(*, actor: Actor, run: PipelineRun, versions: list[DatasetVersion], role: str) -> None:
    """Note which versions a run reads or makes."""
    if not (rights.may_create(actor) or actor.is_system):
        raise NotAllowed("You may not change pipeline runs.")
    for version in versions:
        RunDataset.objects.get_or_create(run=run, version=version, role=role)


@command
def note_mlflow_run(*, actor: Actor, run: PipelineRun, mlflow_run_id: str) -> None:
    """The run told MLflow about itself."""
    _require_worker(actor)
    PipelineRun.objects.filter(pk=run.pk).update(mlflow_run_id=mlflow_run_id[:64])
    run.mlflow_run_id = mlflow_run_id[:64]


@command
def end_run(*, actor: Actor, run: PipelineRun, result: dict[str, Any], log: list[str]) -> PipelineRun:
    """It did what it should."""
    _require_worker(actor)
    run.move_to(Status.SUCCEEDED, result=checked_json(result, "result"), log=_kept(log), finished_at=Now())
    record(actor=actor, action="pipelines.run_succeeded", target=run, after=result)
    emit(RUN_ENDED, run, {"pipeline": run.pipeline.name, "status": run.status})
    return run


@command
def fail_run(*, actor: Actor, run: PipelineRun, reason: str, log: list[str]) -> PipelineRun:
    """It did not; the reason is for people. A run that is over stays as it ended."""
    _require_worker(actor)
    run.refresh_from_db()
    if run.is_over:
        return run
    cancelled = (
        Job.objects.filter(pk=run.job_id, cancel_requested_at__isnull=False).exists()
        or Job.objects.filter(pk=run.job_id, status=Job.Status.CANCELLED).exists()
    )
    status = Status.CANCELLED if cancelled else Status.FAILED
    reason = "Stopped on request." if cancelled else reason.replace("\x00", "")[:4000]
    run.move_to(status, failure=reason, log=_kept(log) or run.log, finished_at=Now())
    action = "pipelines.run_cancelled" if cancelled else "pipelines.run_failed"
    record(actor=actor, action=action, target=run, reason=reason, outcome="failed")
    emit(RUN_ENDED, run, {"pipeline": run.pipeline.name, "status": run.status})
    return run


@command
def cancel_run(*, actor: Actor, run: PipelineRun) -> PipelineRun:
    """Stop a run: at once if it waits, within moments if it works."""
    if not rights.may_cancel(actor, run):
        raise NotAllowed("You may not stop this run; whoever started it and admins may.")
    run.refresh_from_db()
    if run.is_over:
        raise Conflict(f"The run is {run.get_status_display().lower()} already.")
    record(actor=actor, action="pipelines.run_cancel_requested", target=run)
    job = Job.objects.get(pk=run.job_id)
    cancel(job)
    if job.status == Job.Status.CANCELLED and run.status == Status.QUEUED:
        run.move_to(Status.CANCELLED, failure="Stopped on request.", finished_at=Now())
    return run


def _kept(log: list[str]) -> list[str]:
    return [line.replace("\x00", "")[:2000] for line in log[-LOG_LINES:]]


def _require_worker(actor: Actor) -> None:
    if not actor.is_system:
        raise NotAllowed("Only a worker runs pipelines.")
