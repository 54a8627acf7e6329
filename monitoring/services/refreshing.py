"""Asking for windows to be computed, and writing what was computed under a fence."""

from __future__ import annotations

from django.db.models import F

from core.actors import Actor
from core.errors import Conflict
from core.jobs import enqueue
from core.jobs.models import Job
from deployments.models import Endpoint
from monitoring.models import Reference, StaleDay, Watch
from registry.models import ModelVersion

REFRESH = "monitoring.refresh"
MAKE_REFERENCE = "monitoring.make_reference"


def watch_of(endpoint: Endpoint) -> Watch:
    """The endpoint's monitoring, begun now if it is new."""
    return Watch.objects.get_or_create(endpoint=endpoint)[0]


def request_refresh(endpoint: Endpoint, actor: Actor | None = None) -> Job:
    """Have the endpoint's windows brought up to date; a job that waits already is enough.

    That job is held until the caller commits: begun earlier, it would not see what the caller wrote.
    """
    watch_of(endpoint)
    queued = Job.objects.about(endpoint).filter(kind=REFRESH, status=Job.Status.QUEUED)
    waiting = queued.select_for_update().first()
    if waiting is not None:
        return waiting
    return enqueue(REFRESH, subject=endpoint, actor=actor, model=endpoint.model)


def is_refreshing(endpoint: Endpoint) -> bool:
    """Whether what windows show is about to change: a refresh waits or runs, or days are marked."""
    if Job.objects.about(endpoint).open().filter(kind=REFRESH).exists():
        return True
    return StaleDay.objects.filter(watch__endpoint=endpoint).exists()


def request_reference(version: ModelVersion) -> Reference:
    """The version's reference, asked for now if it is new."""
    reference, is_new = Reference.objects.get_or_create(version=version)
    if is_new:
        enqueue(MAKE_REFERENCE, subject=version, model=version.model)
    return reference


def renew_reference(reference: Reference) -> None:
    """Have a reference made again, since more is known of its version now."""
    row = Reference.objects.select_for_update().select_related("version__model").get(pk=reference.pk)
    if row.status == Reference.Status.PENDING:
        return
    row.move_to(Reference.Status.PENDING)
    enqueue(MAKE_REFERENCE, subject=row.version, model=row.version.model)


def take_fence(watch: Watch) -> int:
    """Begin a refresh: whatever an earlier one still wants to write is refused from now on."""
    Watch.objects.filter(pk=watch.pk).update(fence=F("fence") + 1)
    watch.refresh_from_db(fields=["fence"])
    return watch.fence


def hold_fence(watch: Watch, fence: int) -> None:
    """Lock the watch for the transaction that writes, or Conflict when a newer refresh has begun."""
    if not Watch.objects.select_for_update().filter(pk=watch.pk, fence=fence).exists():
        raise Conflict(f"A newer refresh of {watch} has begun.", code="fence_lost")
