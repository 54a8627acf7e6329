"""How each part of the installation is, as far as it can be known; unknown stays unknown."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.db.models.functions import Now
from django.utils import timezone

from audit.models import Checkpoint
from core.errors import Unavailable
from core.jobs.models import Job
from core.object_store import store

LEAST_FREE_BYTES = 2**30
LAG_THAT_MATTERS = timedelta(seconds=60)
SEVERAL = {"Workers"}
FACTS = {
    "port": "Port",
    "gateway_port": "Gateway's port",
    "database_user_mode": "Database users",
    "supervisor_pid": "Supervisor's process",
}
SHOWN_VERSIONS = ["django", "celery", "mlflow", "psycopg", "granian", "plotly"]


@dataclass(frozen=True)
class Part:
    """One part: its status word, what was seen, and where it says so."""

    name: str
    status: str
    seen: str


def parts() -> list[Part]:
    return [_database(), _broker(), _store(), _workers(), _sealer()]


def finding(parts: list[Part]) -> str:
    """The page's title: what needs attention, or that nothing does."""
    failed = [part.name for part in parts if part.status == "failed"]
    broken = [name.lower() for name in failed]
    unknown = [part.name.lower() for part in parts if part.status == "unknown"]
    if broken:
        return f"{_and(broken).capitalize()} {'need' if len(broken) > 1 or failed[0] in SEVERAL else 'needs'} attention"
    if unknown:
        return f"Nothing is broken; {_and(unknown)} not yet known"
    return "Every part is well"


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _database() -> Part:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), pg_database_size(current_database())")
        number, size = cursor.fetchone()
    return Part("Database", "ok", f"PostgreSQL {number}, {size / 2**20:,.0f} MiB")


def _broker() -> Part:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
    try:
        seen: Any = client.info("server")
        depth = {
            queue: int(client.llen(queue))
            for queue in ("default", "deployments", "evaluations", "monitoring")
        }
    except redis.RedisError as error:
        return Part(
            "Broker",
            "failed",
            f"does not answer ({type(error).__name__}); jobs wait as rows and are found later",
        )
    finally:
        client.close()
    name = seen.get("valkey_version") or seen.get("redis_version")
    return Part("Broker", "ok", f"Valkey {name}, {sum(depth.values())} messages waiting")


def _store() -> Part:
    objects = store()
    try:
        seen, free = objects.probe(), objects.free_bytes()
    except Unavailable as error:
        return Part("Object store", "failed", str(error))
    return Part("Object store", "failed" if free is not None and free < LEAST_FREE_BYTES else "ok", seen)


def _workers() -> Part:
    newest = Job.objects.filter(finished_at__isnull=False).order_by("-finished_at").first()
    waiting = Job.objects.due().filter(created_at__lt=Now() - timedelta(seconds=30)).count()
    if waiting:
        return Part("Workers", "failed", f"{waiting} jobs have waited longer than 30 seconds")
    if newest is None:
        return Part("Workers", "unknown", "no job has run yet")
    return Part("Workers", "ok", f"last finished a job at {newest.finished_at:%H:%M:%S} UTC")


def _sealer() -> Part:
    checkpoint = Checkpoint.objects.order_by("-tree_size").first()
    if checkpoint is None:
        return Part("Ledger sealer", "unknown", "nothing has been sealed yet")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), min(recorded_at) FROM audit.event WHERE id > coalesce("
            "(SELECT event_id FROM audit.seal ORDER BY seq DESC LIMIT 1), 0)"
        )
        behind, oldest = cursor.fetchone()
    late = oldest is not None and timezone.now() - oldest > LAG_THAT_MATTERS
    return Part(
        "Ledger sealer",
        "failed" if late else "ok",
        f"{checkpoint.tree_size:,} events sealed, {behind} waiting",
    )


def processes() -> list[dict[str, Any]]:
    """What the embedded stack wrote about itself, without secrets."""
    try:
        facts = json.loads((Path(settings.DATA_DIR) / "run" / "stack.json").read_text())
    except (OSError, ValueError):
        return []
    return [{"name": word, "value": facts.get(name)} for name, word in FACTS.items()]


def versions() -> list[tuple[str, str]]:
    return [
        ("controlplane", settings.VERSION),
        ("python", platform.python_version()),
        *((name, version(name)) for name in SHOWN_VERSIONS),
    ]


def queues() -> list[dict[str, Any]]:
    """Jobs that are not over, by queue and status."""
    return list(
        Job.objects.open().values("queue", "status").annotate(jobs=Count("pk")).order_by("queue", "status")
    )
