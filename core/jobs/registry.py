"""Which kinds of job exist, and which run by the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import models

Handler = Callable[..., dict[str, Any] | None]


@dataclass(frozen=True)
class JobKind:
    """What a worker must know to run jobs of one kind."""

    name: str
    handler: Handler
    queue: str
    limit: timedelta
    max_attempts: int
    subject: type[models.Model] | None


@dataclass(frozen=True)
class Schedule:
    """A kind that runs once in each period; a missed period is skipped, the newest is run."""

    name: str
    kind: str
    every: timedelta


kinds: dict[str, JobKind] = {}
schedules: dict[str, Schedule] = {}


def job(
    name: str,
    *,
    queue: str = "default",
    limit: timedelta = timedelta(minutes=10),
    max_attempts: int = 3,
    subject: type[models.Model] | None = None,
) -> Callable[[Handler], Handler]:
    """Make a function the handler of jobs called ``name``.

    It is called with ``(lease, subject)``, or ``(lease)`` for a kind without subject, and may
    be called again after a crash: only the holder of the newest fence may write an outcome.
    """

    def register(handler: Handler) -> Handler:
        kinds[name] = JobKind(name, handler, queue, limit, max_attempts, subject)
        return handler

    return register


def periodic(name: str, *, every: timedelta) -> Callable[[Handler], Handler]:
    """Also run the kind ``name`` (declared with @job below this line) once in each period."""

    def register(handler: Handler) -> Handler:
        schedules[name] = Schedule(name, name, every)
        return handler

    return register
