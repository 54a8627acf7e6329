"""Is it up (/healthz), can it work (/readyz), how is it doing (/metrics)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from core.jobs.models import Job

LOOPBACK = {"127.0.0.1", "::1", ""}


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return "ok" if not pending else f"{len(pending)} migrations are missing"


def _broker() -> str:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
    try:
        client.ping()
    finally:
        client.close()
    return "ok"


def _store() -> str:
    folder = Path(settings.ARTIFACT_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    return "ok"


PARTS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "store": _store,
}
_migrated = False


def parts() -> dict[str, str]:
    """Each part's word: ``ok`` or what is wrong with it."""
    global _migrated
    seen: dict[str, str] = {}
    for name, ask in PARTS.items():
        if name == "migrations" and _migrated:
            seen[name] = "ok"
            continue
        try:
            seen[name] = ask()
        except Exception as error:  # each part fails in its own way; all mean "not ready"
            seen[name] = f"does not answer ({type(error).__name__})"
    _migrated = seen["migrations"] == "ok"
    return seen


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; asks nobody else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every part answers. The broker's absence only delays work, so it does not fail."""
    seen = parts()
    broken = {name for name, word in seen.items() if word != "ok"} - {"broker"}
    body = {"ready": not broken, **({"parts": seen} if _may_know(request) else {})}
    return JsonResponse(body, status=503 if broken else 200)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text for loopback and for people who administer or audit."""
    if not _may_know(request):
        return HttpResponse("Not found\n", status=404, content_type="text/plain")
    registry = CollectorRegistry()
    up = Gauge("controlplane_part_up", "1 when the part answers", ["part"], registry=registry)
    for name, word in parts().items():
        up.labels(name).set(word == "ok")
    waiting = Gauge("controlplane_jobs", "Jobs that are not over", ["queue", "status"], registry=registry)
    for queue, status in Job.objects.open().values_list("queue", "status"):
        waiting.labels(queue, status).inc()
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4")


def _may_know(request: HttpRequest) -> bool:
    actor = request.actor
    if actor.holds_everywhere("administer") or actor.holds_everywhere("audit"):
        return True
    return request.META.get("REMOTE_ADDR", "") in LOOPBACK


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
