"""Asking for work."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from typing import Any

from celery import current_app
from django.db import connection, transaction

from core.actors import Actor
from core.hot_rows import insert_row
from core.jobs.models import Job
from core.jobs.registry import kinds

log = logging.getLogger(__name__)

RUN_TASK = "core.run_job"
# A worker that is killed must not hold its message for long; see docs on durable jobs.
GRACE_SECONDS = 10


def enqueue(
    kind: str,
    subject: Any = None,
    payload: dict[str, Any] | None = None,
    *,
    actor: Actor | None = None,
    model: Any = None,
    run_after: datetime | None = None,
    queue: str | None = None,
) -> Job:
    """Write a job in the caller's transaction and nudge a worker after the commit.

    Who may see ``model`` may see the job; its name is kept as it was, for show.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A job is enqueued in the transaction of the change that wants it.")
    declared = kinds[kind]
    job = Job(
        kind=kind,
        queue=queue or declared.queue,
        max_attempts=declared.max_attempts,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=str(subject.pk) if subject is not None else "",
        payload=payload or {},
        model_id=model.pk if model is not None else None,
        model_name=model.name if model is not None else "",
        requested_by_id=actor.account_id if actor else None,
        requested_by_name=actor.account_name if actor else "",
        request_id=actor.request_id if actor else "",
        **({"run_after": run_after} if run_after else {}),
    )
    insert_row(job)
    if run_after is None:
        transaction.on_commit(partial(nudge, job))
    return job


def nudge(job: Job) -> None:
    """Tell a worker to look; a dead broker only delays the job until the reaper finds it."""
    limit = kinds[job.kind].limit.total_seconds()
    try:
        current_app.send_task(
            RUN_TASK,
            args=[str(job.pk)],
            queue=job.queue,
            time_limit=limit + GRACE_SECONDS,
            soft_time_limit=limit,
            retry=False,
            ignore_result=True,
        )
    except Exception as error:  # the broker's client raises many kinds, all meaning "not now"
        log.warning("broker unavailable, job %s waits for the reaper: %s", job.pk, type(error).__name__)
