"""The workers' door: reading versions, checking contracts, running pipelines."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F

from core.actors import Actor
from core.errors import DomainError, Unavailable
from core.jobs import Lease, LeaseLost, job, periodic
from core.jobs.models import Job
from pipelines import services
from pipelines.code import code_commit, environment
from pipelines.comparing import measure_difference
from pipelines.inspecting import check_version, read_version
from pipelines.models import (
    DataContract,
    Dataset,
    DatasetQuery,
    DatasetVersion,
    FreshnessAlarm,
    PipelineRun,
    VersionDifference,
)
from pipelines.querying import read_query
from pipelines.running import RUNNERS
from pipelines.sandbox import Sandbox
from pipelines.services import CHECK, COMPARE, PROFILE, QUERY, RUN


@job(PROFILE, subject=DatasetVersion, limit=timedelta(minutes=10), max_attempts=3)
def profile_version(lease: Lease, version: DatasetVersion) -> dict[str, Any]:
    """Read what was registered, in a sandbox; ready or failed is its last word."""
    actor = Actor.system(lease)
    if version.status != DatasetVersion.Status.PENDING:
        return {"status": version.status}
    contract = DataContract.objects.newest_of(version.dataset)
    try:
        found, program = read_version(lease, version, contract)
    except Unavailable:
        raise
    except DomainError as error:
        services.fail_version(actor=actor, version=version, reason=str(error), field=error.field or "")
        raise
    _meter(lease, program)
    lease.check()
    version = services.finish_version(actor=actor, version=version, found=found, contract=contract)
    if contract != DataContract.objects.newest_of(version.dataset):  # a new revision came while we read
        _check(lease, version)
    return {"status": version.status, "rows": version.rows, "digest": version.digest}


@job(CHECK, subject=DatasetVersion, limit=timedelta(minutes=10), max_attempts=3)
def run_check(lease: Lease, version: DatasetVersion) -> dict[str, Any]:
    """Look at every rule of the newest contract on one version."""
    return _check(lease, version)


@job(COMPARE, subject=VersionDifference, limit=timedelta(minutes=10), max_attempts=3)
def compare_versions(lease: Lease, difference: VersionDifference) -> dict[str, Any]:
    """Read the rows of two versions; ready or failed is its last word."""
    actor = Actor.system(lease)
    if difference.status != VersionDifference.Status.PENDING:
        return {"status": difference.status}
    try:
        columns, program = measure_difference(lease, difference)
    except Unavailable:
        raise
    except DomainError as error:
        services.fail_difference(actor=actor, difference=difference, reason=str(error))
        raise
    if program is not None:
        _meter(lease, program)
    lease.check()
    services.keep_difference(actor=actor, difference=difference, columns=columns)
    return {"status": difference.status, "columns": len(columns)}


@job(QUERY, subject=DatasetQuery, limit=timedelta(minutes=15), max_attempts=1)
def run_query(lease: Lease, query: DatasetQuery) -> dict[str, Any]:
    """Read rows of a source as a version; the same rows again are the version they already are."""
    actor = Actor.system(lease)
    try:
        version, objects = read_query(lease, query)
    except DomainError as error:
        services.fail_query(actor=actor, query=query, reason=str(error))
        raise
    services.end_query(actor=actor, query=query, version=version, objects=objects)
    return {"version": version.number}


@job(RUN, subject=PipelineRun, queue="evaluations", limit=timedelta(minutes=20), max_attempts=1)
def run_pipeline(lease: Lease, run: PipelineRun) -> dict[str, Any]:
    """Do what the run's recipe says; a run is never started twice."""
    actor, lines = Actor.system(lease), []

    def log(line: str) -> None:
        lines.append(line)
        lease.log(line)

    services.begin_run(actor=actor, run=run, code_commit=code_commit(), environment=environment())
    try:
        result = RUNNERS[run.pipeline.recipe](lease, run, log)
    except (DomainError, LeaseLost) as error:
        services.fail_run(actor=actor, run=run, reason=str(error), log=lines)
        raise
    except Exception as error:
        services.fail_run(actor=actor, run=run, reason=f"{type(error).__name__}: {error}", log=lines)
        raise
    services.end_run(actor=actor, run=run, result=result, log=lines)
    return result


@periodic("pipelines.fail_stalled_runs", every=timedelta(minutes=1))
@job("pipelines.fail_stalled_runs", limit=timedelta(minutes=1))
def fail_stalled_runs(lease: Lease) -> dict[str, Any]:
    """A run, or a version being read, whose job died must not look as if it still went on."""
    actor, failed = Actor.system(lease), 0
    for run in PipelineRun.objects.open().select_related("pipeline")[:200]:
        last = Job.objects.filter(pk=run.job_id).first()
        if last is not None and last.is_over:
            services.fail_run(
                actor=actor, run=run, reason=last.failure or "Its job ended.", log=last.log_tail
            )
            failed += 1
    for version in DatasetVersion.objects.filter(status=DatasetVersion.Status.PENDING)[:200]:
        last = Job.objects.about(version).filter(kind=PROFILE).order_by("-created_at").first()
        if last is not None and last.is_over:
            services.fail_version(actor=actor, version=version, reason=last.failure or "Its job ended.")
            failed += 1
    for query in DatasetQuery.objects.filter(status=DatasetQuery.Status.PENDING).select_related("dataset")[
        :200
    ]:
        last = Job.objects.about(query).order_by("-created_at").first()
        if last is not None and last.is_over:
            services.fail_query(actor=actor, query=query, reason=last.failure or "Its job ended.")
            failed += 1
    for difference in VersionDifference.objects.filter(status=VersionDifference.Status.PENDING)[:200]:
        last = Job.objects.about(difference).order_by("-created_at").first()
        if last is not None and last.is_over:
            reason = last.failure or "Its job ended."
            services.fail_difference(actor=actor, difference=difference, reason=reason)
            failed += 1
    return {"failed": failed}


@periodic("pipelines.watch_freshness", every=timedelta(minutes=1))
@job("pipelines.watch_freshness", limit=timedelta(minutes=2))
def watch_freshness(lease: Lease) -> dict[str, Any]:
    """Raise the alarm of data sets that have become late; the rest is settled when data comes."""
    actor, late = Actor.system(lease), 0
    expecting = Dataset.objects.filter(expected_every__isnull=False).with_freshness()
    is_open = set(FreshnessAlarm.objects.open().values_list("dataset", flat=True))
    for dataset in expecting.iterator(chunk_size=500):
        if dataset.freshness.is_late != (dataset.pk in is_open):
            services.look_at_freshness(actor=actor, dataset=dataset)
        late += dataset.freshness.is_late
    return {"late": late}


def _check(lease: Lease, version: DatasetVersion) -> dict[str, Any]:
    contract = DataContract.objects.newest_of(version.dataset)
    if contract is None or not version.digest:
        return {"status": "nothing to check"}
    results, program = check_version(lease, version, contract)
    _meter(lease, program)
    lease.check()
    check = services.keep_check(
        actor=Actor.system(lease), version=version, contract=contract, results=results
    )
    return {"status": check.status, "revision": contract.revision, "failed": len(check.failures)}


def _meter(lease: Lease, program: Sandbox) -> None:
    """Work in a sandbox is the job's too; the lease counts only its own process."""
    lease.mine().update(cpu_seconds=F("cpu_seconds") + program.cpu_seconds)
