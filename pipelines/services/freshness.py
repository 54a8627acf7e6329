"""Raising and clearing the alarm of a data set that is late."""

from __future__ import annotations

from django.db import connection
from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import NotAllowed
from core.events import emit
from pipelines.freshness import Freshness
from pipelines.models import Dataset, FreshnessAlarm

DATASET_LATE = "pipelines.dataset_late"
DATASET_ON_TIME = "pipelines.dataset_on_time"


def freshness_of(dataset: Dataset) -> Freshness:
    """Where the data set's clocks stand, by the database's time."""
    row = Dataset.objects.filter(pk=dataset.pk).with_freshness().get()
    return row.freshness


@command
def look_at_freshness(*, actor: Actor, dataset: Dataset) -> FreshnessAlarm | None:
    """A worker's regular look: raise the alarm of what is late, clear that of what no longer is."""
    if not actor.is_system:
        raise NotAllowed("Only a worker watches freshness.")
    return settle_alarm(actor, dataset)


def settle_alarm(actor: Actor, dataset: Dataset) -> FreshnessAlarm | None:
    """Part of every change that moves a clock or what is expected of it; answers an open alarm."""
    if not connection.in_atomic_block:
        raise RuntimeError("An alarm is raised in the transaction of what it follows from.")
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    now = freshness_of(dataset)
    alarm: FreshnessAlarm | None = dataset.alarms.open().first()
    if now.is_late and alarm is None:
        return _raise(actor, dataset, now)
    if not now.is_late and alarm is not None:
        _clear(actor, dataset, alarm, now)
        return None
    return alarm


def _raise(actor: Actor, dataset: Dataset, now: Freshness) -> FreshnessAlarm:
    alarm = FreshnessAlarm.objects.create(
        dataset=dataset,
        clock=now.follows,
        reached=now.reached,
        due_at=now.due_at,
        finding=f"{dataset.name} is late: {now.finding}"[:500],
    )
    alarm.refresh_from_db()
    record(actor=actor, action="pipelines.dataset_late", target=dataset, after={"finding": alarm.finding})
    body = {"dataset": dataset.name, "finding": alarm.finding, "due_at": alarm.due_at.isoformat()}
    emit(DATASET_LATE, alarm, body)
    return alarm


def _clear(actor: Actor, dataset: Dataset, alarm: FreshnessAlarm, now: Freshness) -> None:
    because = (
        "nothing is expected any more"
        if now.due_at is None
        else f"{now.follows} time reached {now.reached:%Y-%m-%d %H:%M} UTC"
    )
    alarm.cleared_at, alarm.cleared_because = now.now, because
    FreshnessAlarm.objects.filter(pk=alarm.pk, cleared_at__isnull=True).update(
        cleared_at=Now(), cleared_because=because
    )
    record(actor=actor, action="pipelines.dataset_on_time", target=dataset, after={"because": because})
    emit(DATASET_ON_TIME, alarm, {"dataset": dataset.name, "because": because})
