"""Periodic work: each period of a schedule runs once, whatever the number of beats."""

from django.db import IntegrityError, connection, transaction

from core.jobs.models import Job, PeriodicRun
from core.jobs.queue import enqueue
from core.jobs.registry import schedules


def start_period(name: str) -> Job | None:
    """Enqueue the schedule's job for the current period; None if it has one or one still runs."""
    schedule = schedules[name]
    if Job.objects.open().filter(kind=schedule.kind).exists():
        return None
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT extract(epoch FROM now())")
                now = float(cursor.fetchone()[0])
            period = int(now // schedule.every.total_seconds())
            if PeriodicRun.objects.filter(name=name, period=period).exists():
                return None
            started = enqueue(schedule.kind)
            PeriodicRun.objects.create(name=name, period=period, job=started)
            PeriodicRun.objects.filter(name=name, period__lt=period - 100).delete()
            return started
    except IntegrityError:
        return None


def beat_schedule() -> dict[str, dict[str, object]]:
    """Celery beat's table: the reaper and every @periodic kind."""
    table: dict[str, dict[str, object]] = {
        "reap": {"task": "core.reap", "schedule": 5.0, "options": {"expires": 5}}
    }
    for name, schedule in schedules.items():
        seconds = schedule.every.total_seconds()
        table[name] = {
            "task": "core.start_period",
            "args": (name,),
            "schedule": seconds,
            "options": {"expires": seconds},
        }
    return table
