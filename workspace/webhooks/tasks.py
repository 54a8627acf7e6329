"""Doors of the workers: send what waits, and forget what is old."""

import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.functions import Cast, Now

from core.actors import Actor
from core.jobs import enqueue
from core.jobs.lease import Lease
from core.jobs.models import Job
from core.jobs.registry import job, periodic
from workspace.webhooks import delivering, lines
from workspace.webhooks.models import Delivery
from workspace.webhooks.outbox import DELIVER

# Calls that wait for others hold up nothing else: the beat process does them, several at once.
QUEUE = "webhooks"
KEPT_FOR = timedelta(days=90)
LATE = timedelta(minutes=2)
MOST_AT_ONCE = 500


@job(DELIVER, queue=QUEUE, subject=Delivery, limit=timedelta(seconds=45), max_attempts=8)
def deliver(lease: Lease, delivery: Delivery) -> dict[str, str]:
    """Send it; a worker that dies on the way leaves the row as it was, and another sends it again."""
    if not lines.enter(delivery.webhook_id, delivery.pk):
        return {"status": "in line"}
    try:
        sent = delivering.attempt(actor=Actor.system(lease), delivery=delivery)
    finally:
        _call_up(lines.leave(delivery.webhook_id))
    return {"status": sent.status}


def _call_up(delivery_id: uuid.UUID | None) -> None:
    """A job of its own, behind those of other receivers."""
    following = Delivery.objects.pending().filter(pk=delivery_id).first() if delivery_id else None
    if following is not None:
        with transaction.atomic():
            enqueue(DELIVER, subject=following)


@periodic("workspace.find_forgotten_deliveries", every=timedelta(minutes=2))
@job("workspace.find_forgotten_deliveries")
def find_forgotten(lease: Lease) -> dict[str, int]:
    """Ask again for what waits without a job: its job failed, such as for want of the envelope key."""
    has_job = Job.objects.open().filter(kind=DELIVER, subject_id=Cast(OuterRef("pk"), CharField()))
    late = Q(next_attempt_at__lt=Now() - LATE) | Q(next_attempt_at=None, created_at__lt=Now() - LATE)
    waiting = Delivery.objects.pending().filter(late, ~Exists(has_job), is_test=False).order_by("pk")
    with transaction.atomic():
        found = list(waiting[:MOST_AT_ONCE])
        for delivery in found:
            enqueue(DELIVER, subject=delivery)
    return {"found": len(found)}


@periodic("workspace.forget_deliveries", every=timedelta(hours=6))
@job("workspace.forget_deliveries")
def forget(lease: Lease) -> dict[str, int]:
    """Deliveries are a log of what was sent, not a record; the audit trail is that."""
    old = Delivery.objects.exclude(status=Delivery.Status.PENDING).filter(created_at__lt=Now() - KEPT_FOR)
    return {"forgotten": old.delete()[0]}
