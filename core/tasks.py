"""Doors of the workers: run a job, reap, and start what is due by the clock."""

from typing import Any

from celery import shared_task

from core.events import deliver
from core.jobs.lease import Lease
from core.jobs.queue import RUN_TASK
from core.jobs.registry import job
from core.jobs.run import reap, run_job
from core.jobs.schedule import start_period


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
