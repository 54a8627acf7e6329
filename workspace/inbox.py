"""What waits for a person: failed work they asked for, and what upper packages ask of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models.functions import Now

from approvals.waiting import waiting_for_signature
from core.actors import Actor
from core.jobs.models import Job

FAILED_FOR = timedelta(days=7)
MOST = 50


@dataclass(frozen=True)
class Entry:
    """One thing that waits: what, why it is yours, where, by when."""

    title: str
    why: str
    address: str
    status: str
    since: datetime
    due: datetime | None = None


def waiting_for(actor: Actor) -> list[Entry]:
    """Everything that waits, what is due first at the top."""
    found = _signatures(actor) + _failed_jobs(actor)
    return sorted(found, key=lambda entry: (entry.due is None, entry.due or entry.since))


def _signatures(actor: Actor) -> list[Entry]:
    return [
        Entry(
            f"Promote {each.version} to {each.environment.name}",
            "You may sign this request",
            each.address,
            each.status,
            each.created_at,
            each.expires_at,
        )
        for each in waiting_for_signature(actor)
    ]


def _failed_jobs(actor: Actor) -> list[Entry]:
    failed = Job.objects.filter(
        requested_by_id=actor.account_id, status=Job.Status.FAILED, finished_at__gt=Now() - FAILED_FOR
    ).order_by("-finished_at")[:MOST]
    return [
        Entry(
            f"{job.kind} failed",
            job.failure[:200],
            f"/jobs/{job.pk}/",
            "failed",
            job.finished_at or job.created_at,
        )
        for job in failed
    ]
