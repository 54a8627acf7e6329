"""The workers' door: hashing what was registered, at once and every day."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import chain, zip_longest
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.fields.json import KT
from django.utils import timezone

from core.actors import Actor
from core.errors import DomainError, Unavailable
from core.jobs import Lease, enqueue, job, periodic
from core.jobs.models import Job
from registry import services
from registry.backends import ArtifactFolder, artifact_storage, tracking_server
from registry.contents import collect
from registry.following import settle
from registry.integrity import verify
from registry.models import ModelVersion
from registry.services import FINALISE, VERIFY

log = logging.getLogger(__name__)
FOLLOW, FOLLOW_EVERY = "registry.follow_runs", timedelta(seconds=20)
RUNS_OF_A_ROUND, RUNS_OF_A_QUESTION, VERSIONS_OF_A_ROUND = 2000, 200, 100
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


@periodic(FOLLOW, every=FOLLOW_EVERY)
@job(FOLLOW, limit=timedelta(minutes=2))
def follow_runs(lease: Lease) -> dict[str, Any]:
    """Versions are mostly registered before their run ends; what it logged until then is read at its end."""
    going = ModelVersion.objects.of_going_runs().filter(created_at__gt=timezone.now() - FOLLOWED_FOR)
    runs = {
        run: home for run, home in going.values_list("run_id", KT("run__experiment_id")).distinct() if home
    }
    asked, ended = in_turns(sorted(runs), RUNS_OF_A_ROUND, _round()), set[str]()
    for begin in range(0, len(asked), RUNS_OF_A_QUESTION):
        question = asked[begin : begin + RUNS_OF_A_QUESTION]
        ended |= tracking_server().ended({run: runs[run] for run in question})
    settled = 0
    # One version of each run first, so that a run with thousands holds up nobody's.
    keys = going.order_by("created_at").values_list("pk", flat=True)
    of_runs = [keys.filter(run_id=run)[:VERSIONS_OF_A_ROUND] for run in sorted(ended)]
    for pk in filter(None, chain.from_iterable(zip_longest(*of_runs))):
        lease.check()
        try:
            settle(ModelVersion.objects.get(pk=pk), tracking=tracking_server(), actor=Actor.system(lease))
            settled += 1
        except Unavailable:
            raise
        except DomainError:  # such as of a run that was deleted this moment: the others go on
            log.exception("the run of version %s could not be read", pk)
    return {"settled": settled}


def in_turns(things: Sequence[str], size: int, turn: int) -> Sequence[str]:
    """So many of them, others with each turn, until all had theirs."""
    begin = turn % max(1, -(-len(things) // size)) * size
    return things[begin : begin + size]


def _round() -> int:
    return int(time.time() // FOLLOW_EVERY.total_seconds())


@periodic("registry.clean_half_uploads", every=timedelta(days=1))
@job("registry.clean_half_uploads", limit=timedelta(minutes=30))
def clean_half_uploads(lease: Lease) -> dict[str, Any]:
    """What a killed tracking server left of files that never came whole."""
    storage = artifact_storage()
    if not isinstance(storage, ArtifactFolder):  # a bucket keeps nothing that is not whole
        return {"removed": 0}
    removed = 0
    for _ in storage.forget_half_uploads(timezone.now() - timedelta(days=1)):
        lease.check()
        removed += 1
    return {"removed": removed}


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
