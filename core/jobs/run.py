"""Running one job, whoever was nudged."""

from __future__ import annotations

import logging
import traceback
from datetime import timedelta
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from core.errors import DomainError, TryLater
from core.jobs.lease import Lease, LeaseLost
from core.jobs.models import Job
from core.jobs.queue import nudge
from core.jobs.registry import JobKind, kinds
from core.logs import bound

log = logging.getLogger(__name__)

BACK_OFF = timedelta(seconds=2)


def run_job(job_id: Any) -> None:
    """Lease and run the job; a second delivery of the same message does nothing."""
    lease = Lease.take(job_id)
    if lease is None:
        return
    kind = kinds.get(lease.job.kind)
    if kind is None:  # written by a newer release: leave it to a worker that knows it
        lease.mine().update(status=Job.Status.QUEUED, run_after=Now() + timedelta(seconds=30))
        return
    about: dict[str, str | int] = {"job_id": str(lease.job_id), "kind": kind.name, "attempt": lease.attempt}
    if lease.job.request_id:  # of the request that wanted it
        about["request_id"] = lease.job.request_id
    with lease, bound(**about):
        _run(lease, kind)


def _run(lease: Lease, kind: JobKind) -> None:
    try:
        result = _call(lease, kind)
    except LeaseLost:
        if lease.cancelled.is_set():
            _end(lease, Job.Status.CANCELLED, failure="Cancelled on request.")
    except TryLater as error:
        _retry_or_fail(lease, str(error))
    except DomainError as error:
        _end(lease, Job.Status.FAILED, failure=str(error))
    except SoftTimeLimitExceeded:
        _end(lease, Job.Status.FAILED, failure=f"Stopped after its time limit of {kind.limit}.")
    except Exception as error:
        log.exception("job raised %s", type(error).__name__)
        lease.log(traceback.format_exc(limit=6))
        _retry_or_fail(lease, f"{type(error).__name__}: {error}")
    else:
        _end(lease, Job.Status.SUCCEEDED, result=result or {}, progress_percent=100)


def _call(lease: Lease, kind: JobKind) -> dict[str, Any] | None:
    if kind.subject is None:
        return kind.handler(lease)
    try:
        subject = kind.subject._default_manager.get(pk=lease.job.subject_id)
    except ObjectDoesNotExist:
        raise DomainError(f"The {kind.subject._meta.verbose_name} of this job no longer exists.") from None
    return kind.handler(lease, subject)


def _end(lease: Lease, status: str, **fields: Any) -> None:
    log.info("job %s", status)
    fields["failure"] = fields.get("failure", "").replace("\x00", "")
    lease.mine().update(status=status, finished_at=Now(), lease_until=None, **lease.metered(), **fields)


def _retry_or_fail(lease: Lease, failure: str) -> None:
    if lease.attempt >= lease.job.max_attempts:
        _end(lease, Job.Status.FAILED, failure=failure)
        return
    lease.mine().update(
        status=Job.Status.QUEUED,
        lease_until=None,
        failure=failure.replace("\x00", ""),
        run_after=Now() + BACK_OFF * 2**lease.attempt,
        **lease.metered(),
    )


def reap() -> int:
    """Re-queue jobs whose lease expired, fail the exhausted, nudge those whose message was lost."""
    lost = Job.objects.with_lost_lease()
    lost.filter(cancel_requested_at__isnull=False).update(
        status=Job.Status.CANCELLED, finished_at=Now(), failure="Cancelled on request."
    )
    lost.filter(attempt__gte=F("max_attempts")).update(
        status=Job.Status.FAILED, finished_at=Now(), failure="Its workers died; no attempts are left."
    )
    lost.update(status=Job.Status.QUEUED, lease_until=None, run_after=Now())
    waiting = Job.objects.due().filter(Q(run_after__lt=Now() - timedelta(seconds=3)) | Q(attempt__gt=0))
    jobs = list(waiting.order_by("run_after")[:500])
    for job in jobs:
        nudge(job)
    return len(jobs)


def cancel(job: Job) -> None:
    """Ask a job to stop: at once if it waits, at its next check if it runs."""
    with transaction.atomic():
        if not Job.objects.filter(pk=job.pk, status=Job.Status.QUEUED).update(
            status=Job.Status.CANCELLED, finished_at=Now(), failure="Cancelled on request."
        ):
            Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING).update(cancel_requested_at=Now())
    job.refresh_from_db()
