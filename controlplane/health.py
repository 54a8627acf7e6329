"""Is it up (/healthz), can it work (/readyz), how is it doing (/metrics)."""

from __future__ import annotations

import pkgutil
import xmlrpc.client
from collections.abc import Callable
from pathlib import Path

import redis
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from controlplane.stack.places import socket_folder
from controlplane.stack.supervision import Supervisor
from core.doors import PageRequest
from core.errors import Unavailable
from core.jobs.models import Job
from core.object_store import store

# Below this nothing large fits, and a database on the same disk is about to stop.
LEAST_FREE_BYTES = 64 << 20
LOOPBACK = {"127.0.0.1", "::1", ""}


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    """By the names of our files: Django's own comparison imports every migration there is."""
    done = set(MigrationRecorder(connection).applied_migrations())
    missing = {
        (config.label, module.name)
        for config in apps.get_app_configs()
        if config.name in settings.OUR_APPS
        for module in pkgutil.iter_modules([str(Path(config.path) / "migrations")])
        if (config.label, module.name) not in done
    }
    return "ok" if not missing else f"{len(missing)} migrations are missing"


def _broker() -> str:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1)
    try:
        client.ping()
    finally:
        client.close()
    return "ok"


def _store() -> str:
    """Whether bytes can be written now, and go on being written."""
    objects = store()
    try:
        objects.probe()
        free = objects.free_bytes()
    except Unavailable as error:
        return str(error).rstrip(".")
    if free is not None and free < LEAST_FREE_BYTES:
        return f"only {free >> 20} MB are left on its disk"
    return "ok"


def _processes() -> dict[str, str]:
    """The state of each process, where the embedded stack runs them."""
    supervisor = Supervisor(socket_folder(Path(settings.DATA_DIR)), seconds=2)
    if not supervisor.socket.exists():
        return {}
    try:
        seen = supervisor.processes()
    except (OSError, xmlrpc.client.Error) as error:
        return {"supervisor": f"does not answer ({type(error).__name__})"}
    return {each["name"]: "ok" if each["state"] == "running" else each["state"] for each in seen}


PARTS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "store": _store,
}
# Taking every web process out of service for these would take the registry away as well.
MISSED_LITTLE = frozenset({"broker", "store"})
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
def readyz(request: PageRequest) -> HttpResponse:
    """200 when every part that pages need answers.

    Without the broker, the store, a worker or the gateway pages work and say what waits, so these do
    not fail it.
    """
    seen = parts()
    broken = {name for name, word in seen.items() if word != "ok"} - MISSED_LITTLE
    about = {"parts": seen, "processes": _processes()} if _may_know(request) else {}
    body = {"ready": not broken, **about}
    return JsonResponse(body, status=503 if broken else 200)


@require_safe
def metrics(request: PageRequest) -> HttpResponse:
    """Prometheus text for loopback and for people who administer or audit."""
    if not _may_know(request):
        return HttpResponse("Not found\n", status=404, content_type="text/plain")
    registry = CollectorRegistry()
    up = Gauge("controlplane_part_up", "1 when the part answers", ["part"], registry=registry)
    for name, word in parts().items():
        up.labels(name).set(word == "ok")
    runs = Gauge("controlplane_process_up", "1 when the process runs", ["process"], registry=registry)
    for name, word in _processes().items():
        runs.labels(name).set(word == "ok")
    waiting = Gauge("controlplane_jobs", "Jobs that are not over", ["queue", "status"], registry=registry)
    for queue, status in Job.objects.open().values_list("queue", "status"):
        waiting.labels(queue, status).inc()
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4")


def _may_know(request: PageRequest) -> bool:
    actor = request.actor
    if actor.holds_everywhere("administer") or actor.holds_everywhere("audit"):
        return True
    return request.META.get("REMOTE_ADDR", "") in LOOPBACK


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
