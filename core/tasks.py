"""Doors of the workers: run a job, reap, and start what is due by the clock."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from core.events import deliver
from core.jobs.lease import Lease
from core.jobs.queue import RUN_TASK
from core.jobs.registry import job, periodic
from core.jobs.run import reap, run_job
from core.jobs.schedule import start_period
from core.object_store import store
from core.object_store.collecting import collect

# Longer than any upload takes; a slow one that still arrives is never old.
STAGED_AT_MOST = timedelta(days=1)


@shared_task(name=RUN_TASK, acks_late=True, ignore_result=True)
def run(job_id: str) -> None:
    """Run the job of this row."""
    run_job(job_id)


@shared_task(name="core.reap", ignore_result=True)
def reap_jobs() -> None:
    """Put back what dead workers left behind."""
    reap()


@shared_task(name="core.start_period", ignore_result=True)
def start(name: str) -> None:
    """Start the current period of one schedule, unless another beat has."""
    start_period(name)


@job("core.deliver_event", max_attempts=8)
def deliver_event(lease: Lease) -> dict[str, Any] | None:
    """Bring one event to one subscriber."""
    deliver(lease.payload["topic"], lease.payload["handler"], lease.payload["body"])
    return None


@periodic("core.clean_staging", every=timedelta(hours=1))
@job("core.clean_staging", limit=timedelta(minutes=10))
def clean_staging(lease: Lease) -> dict[str, Any]:
    """Remove what uploads left behind whose process or client died."""
    return {"removed": store().clean_staging(timezone.now() - STAGED_AT_MOST)}


@periodic("core.collect_unreferenced", every=timedelta(days=1))
@job("core.collect_unreferenced", limit=timedelta(hours=2))
def collect_unreferenced(lease: Lease) -> dict[str, Any]:
    """Delete objects that no row has named for UNREFERENCED_KEPT_DAYS; what was freed is on the job."""
    before = timezone.now() - timedelta(days=settings.UNREFERENCED_KEPT_DAYS)
    return asdict(collect(store(), before, lease.check))
