"""The workers' door: scanners look at a version's files inside a sandbox."""

from __future__ import annotations

import json
import tempfile
from datetime import timedelta
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from core.actors import Actor
from core.errors import Conflict, DomainError
from core.events import on
from core.jobs import Lease, job, periodic
from core.jobs.models import Job
from pipelines.sandbox import Limits, Mount, Sandbox, Stopped
from registry.integrity import materialise
from registry.models import ModelVersion
from registry.scans import services
from registry.scans.models import Scan
from registry.scans.services import SCAN, Outcome
from registry.services.registration import VERSION_READY

NIGHTLY_BATCH = 200
TRIED_AGAIN_AFTER = timedelta(days=7)
SCANNING = "registry.scans.compute.scanning"
LIMITS = Limits(cpu_seconds=150, wall_seconds=240, memory_bytes=3 << 30)


@on(VERSION_READY)
def scan_new_version(body: dict[str, Any]) -> None:
    """Every version is scanned once it is ready; the nudge may come twice."""
    version = ModelVersion.objects.ready().select_related("model").filter(pk=body["subject_id"]).first()
    if version is not None and settings.SCANNERS and not version.scans.exists():
        services.request_scan(actor=Actor.system(), version=version)


# A queue of their own: hundreds of versions that arrive at once hold up no evaluation by more than one scan.
@job(SCAN, subject=Scan, queue="scans", limit=timedelta(minutes=10), max_attempts=3)
def scan_version(lease: Lease, scan: Scan) -> dict[str, Any]:
    """Only the holder of the newest fence writes what was found."""
    actor = Actor.system(lease)
    try:
        row = services.begin(actor=actor, scan=scan, fence=lease.fence)
    except Conflict:
        return {"status": scan.status}
    try:
        outcome = _scanned(lease, row, actor)
    except (DomainError, ValueError) as error:
        services.fail(actor=actor, scan=row, fence=lease.fence, reason=str(error))
        raise DomainError(str(error)) from error
    lease.check()
    done = services.finish(actor=actor, scan=row, fence=lease.fence, outcome=outcome)
    return {"status": done.status, "verdict": done.verdict}


@periodic("registry.scan_unscanned", every=timedelta(days=1))
@job("registry.scan_unscanned", limit=timedelta(minutes=5))
def scan_unscanned(lease: Lease) -> dict[str, Any]:
    """Versions that today's scanners, at today's versions, have not looked at: some every night.

    Newest first, none that was tried within the week: one that always fails must not be in the way.
    """
    if not settings.SCANNERS:
        return {"versions": 0}
    scans = Scan.objects.filter(version=OuterRef("pk"))
    seen = scans.filter(
        reports__contains=[{"scanner": each, "version": installed(each)} for each in settings.SCANNERS]
    )
    tried = scans.filter(created_at__gt=Now() - TRIED_AGAIN_AFTER)
    waiting = ModelVersion.objects.ready().filter(~Exists(seen), ~Exists(tried)).in_lists()
    versions = list(waiting.order_by("-created_at")[:NIGHTLY_BATCH])
    for each in versions:
        services.request_scan(actor=Actor.system(lease), version=each)
    return {"versions": len(versions)}


@periodic("registry.fail_stalled_scans", every=timedelta(minutes=5))
@job("registry.fail_stalled_scans", limit=timedelta(minutes=2))
def fail_stalled_scans(lease: Lease) -> dict[str, Any]:
    """A scan whose job gave up or was cancelled has failed; nothing stays under way for ever."""
    failed = 0
    for scan in Scan.objects.unfinished().select_related("version__model")[:500]:
        last = Job.objects.about(scan).order_by("-created_at").first()
        if last is not None and last.is_over:
            reason = last.failure or "Its job ended."
            services.fail(actor=Actor.system(lease), scan=scan, fence=scan.fence, reason=reason)
            failed += 1
    return {"failed": failed}


def _scanned(lease: Lease, scan: Scan, actor: Actor) -> Outcome:
    """The version's proven files, read by a program that can neither write nor talk."""
    if not settings.SCANNERS:
        raise DomainError("No scanner is switched on in this installation (SCANNERS).")
    if scan.version.digest != scan.digest:
        raise Conflict("The version has other bytes than those that were to be scanned.")
    with tempfile.TemporaryDirectory(prefix="scan-") as name:
        folder = Path(name) / "model"
        lease.progress(5, "Copying and hashing the files")
        materialise(scan.version, folder, actor=actor)
        request = {"scanners": settings.SCANNERS}
        lease.progress(40, f"Scanning with {' and '.join(settings.SCANNERS)}")
        with Sandbox(
            SCANNING,
            [Mount(folder, "/model")],
            LIMITS,
            required=settings.SANDBOX == "required",
            watch=lease.check,
        ) as program:
            program.write(json.dumps({**request, "model": program.place("/model")}).encode(), close=True)
            files = json.loads(program.read_line())
            reports = _reports(program, settings.SCANNERS)
    return Outcome(files=files, reports=reports, sandbox=program.level)


def _reports(program: Sandbox, scanners: list[str]) -> list[dict[str, Any]]:
    """One report per scanner; one that did not answer, and all after it, failed."""
    reports: list[dict[str, Any]] = []
    error = ""
    for name in scanners:
        if not error:
            try:
                reports.append(json.loads(program.read_line()))
                continue
            except (Stopped, ValueError) as stopped:
                error = str(stopped)[:300]
        reports.append(
            {"scanner": name, "version": "", "findings": [], "scanned": [], "partly": [], "error": error}
        )
    return reports
