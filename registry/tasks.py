"""The workers' door: hashing what was registered, at once and every day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core.actors import Actor
from core.errors import DomainError, Unavailable
from core.jobs import Lease, enqueue, job, periodic
from core.jobs.models import Job
from registry import services
from registry.backends import artifact_storage, tracking_server
from registry.contents import collect
from registry.following import settle
from registry.integrity import verify
from registry.models import ModelVersion
from registry.services import FINALISE, VERIFY

FOLLOW = "registry.follow_runs"
# A run that is not ended by then was left behind by a notebook that died.
FOLLOWED_FOR = timedelta(days=7)
HASHED_AT_ONCE = 1000
# 5 GB took 15 minutes to an S3 on a machine with ten times its load; below the broker's two hours.
LONGEST_COPY = timedelta(minutes=90)
STALLED_AFTER = timedelta(seconds=90)


@job(FINALISE, limit=LONGEST_COPY, subject=ModelVersion, max_attempts=5)
def finalise_version(lease: Lease, version: ModelVersion) -> dict[str, Any]:
    """Copy, hash and describe the files of a version; READY is its last word."""
    actor = Actor.system(lease)
    if version.status != ModelVersion.Status.PENDING_REGISTRATION or version.deleted_at is not None:
        return {"status": version.status}
    try:
        contents = collect(
            version, tracking=tracking_server(), storage=artifact_storage(), progress=lease.progress
        )
        lease.check()
        services.finish_registration(actor=actor, version=version, contents=contents)
    except Unavailable as error:
        if lease.attempt >= lease.job.max_attempts:
            services.fail_registration(actor=actor, version=version, reason=str(error))
            raise
        raise RuntimeError(str(error)) from error  # tried again later
    except DomainError as error:
        services.fail_registration(actor=actor, version=version, reason=str(error))
        raise
    return {"status": ModelVersion.Status.READY, "digest": contents.digest, "files": len(contents.manifest)}


@job(VERIFY, limit=LONGEST_COPY, subject=ModelVersion)
def verify_version(lease: Lease, version: ModelVersion) -> dict[str, Any]:
    """Hash the stored files of a version again."""
    verify(version, actor=Actor.system(lease))
    return {"digest": version.digest, "files": version.file_count}


@periodic("registry.verify_versions", every=timedelta(hours=1))
@job("registry.verify_versions", limit=timedelta(minutes=10))
def verify_versions(lease: Lease) -> dict[str, Any]:
    """Every version once a day, longest unverified first, as many as the workers keep up with."""
    waiting = Job.objects.open().filter(kind=VERIFY).count()
    due = ModelVersion.objects.ready().filter(
        Q(verified_at__isnull=True) | Q(verified_at__lt=timezone.now() - timedelta(hours=20))
    )
    versions = list(due.in_lists().order_by("verified_at")[: max(0, HASHED_AT_ONCE - waiting)])
    with transaction.atomic():
        for version in versions:
            enqueue(VERIFY, subject=version, model=version.model)
    return {"versions": len(versions)}


@periodic(FOLLOW, every=timedelta(seconds=20))
@job(FOLLOW, limit=timedelta(minutes=2))
def follow_runs(lease: Lease) -> dict[str, Any]:
    """Versions are mostly registered before their run ends; what it logged until then is read at its end."""
    since = timezone.now() - FOLLOWED_FOR
    waiting = list(
        ModelVersion.objects.of_going_runs().filter(created_at__gt=since).order_by("-created_at")[:200]
    )
    if not waiting:
        return {"settled": 0}
    ended = tracking_server().ended({each.run_id: each.run["experiment_id"] for each in waiting})
    settled = [each for each in waiting if each.run_id in ended]
    for version in settled:
        settle(version, tracking=tracking_server(), actor=Actor.system(lease))
    return {"settled": len(settled)}


@periodic("registry.fail_stalled_versions", every=timedelta(minutes=1))
@job("registry.fail_stalled_versions", limit=timedelta(minutes=1))
def fail_stalled_versions(lease: Lease) -> dict[str, Any]:
    """A version whose job died for good must not look as if it were still being hashed."""
    waiting = ModelVersion.objects.existing().filter(
        status=ModelVersion.Status.PENDING_REGISTRATION, last_updated_at__lt=timezone.now() - STALLED_AFTER
    )
    failed = 0
    for version in waiting.in_lists()[:100]:
        jobs = Job.objects.about(version).filter(kind=FINALISE)
        if jobs.open().exists():
            continue
        last = jobs.order_by("-created_at").first()
        reason = last.failure if last and last.failure else "Its job ended without an outcome."
        services.fail_registration(actor=Actor.system(lease), version=version, reason=reason)
        failed += 1
    return {"failed": failed}
