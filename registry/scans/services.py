"""Changes to scans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor, holds
from core.errors import Conflict, NotAllowed
from core.events import emit
from core.jobs import enqueue
from registry.locks import locked_version
from registry.models import ModelVersion
from registry.scans.models import Scan
from registry.scans.verdicts import verdict_of
from registry.services.integrity import MAY_VERIFY

SCAN = "registry.scan_version"
FINISHED = "registry.scan_finished"
Status = Scan.Status


@dataclass(frozen=True)
class Outcome:
    """What the scanners said."""

    files: list[dict[str, Any]]
    reports: list[dict[str, Any]]
    sandbox: str


@command
def request_scan(*, actor: Actor, version: ModelVersion) -> Scan:
    """Have a worker scan the version's files; one that is under way is answered as it is."""
    if not any(holds(actor, right, version.model) for right in MAY_VERIFY):
        raise NotAllowed(f"You may not scan {version}; it needs one of the rights {', '.join(MAY_VERIFY)}.")
    row = locked_version(version)
    if not row.is_ready:
        raise Conflict(f"{row} {row.state_words}; there is nothing to scan yet.")
    under_way = Scan.objects.unfinished().filter(version=row).first()
    if under_way is not None:
        return under_way
    scan = Scan.objects.create(version=row, digest=row.digest, requested_by_name=actor.account_name)
    record(actor=actor, action="registry.scan_requested", target=row, after={"digest": row.digest})
    enqueue(SCAN, subject=scan, actor=actor, model=row.model)
    return scan


@command
def begin(*, actor: Actor, scan: Scan, fence: int) -> Scan:
    """A worker takes it; one that took it earlier loses its word."""
    row = _locked(scan)
    if row.is_over or row.fence >= fence:
        raise Conflict(f"The {row} is {row.status}.")
    row.move_to(Status.RUNNING, fence=fence)
    return row


@command
def finish(*, actor: Actor, scan: Scan, fence: int, outcome: Outcome) -> Scan:
    """Keep what was found, and the word for it."""
    row = _locked(scan)
    if row.fence != fence or row.status != Status.RUNNING:
        raise Conflict(f"The {row} is no longer this worker's.")
    verdict = verdict_of(outcome.files, outcome.reports)
    row.move_to(
        Status.FINISHED,
        verdict=verdict,
        files=outcome.files,
        reports=outcome.reports,
        sandbox=outcome.sandbox,
        finished_at=Now(),
    )
    after = {
        "verdict": verdict,
        "digest": row.digest,
        "scanners": [f"{each['scanner']} {each['version']}" for each in outcome.reports],
        "findings": sum(len(each["findings"]) for each in outcome.reports),
    }
    record(actor=actor, action="registry.scanned", target=row.version, after=after)
    _tell(row)
    return row


@command
def fail(*, actor: Actor, scan: Scan, fence: int, reason: str) -> Scan:
    """Nothing is known: the version is not clean, and the reason is for people."""
    row = _locked(scan)
    if row.is_over or row.fence != fence:
        return row
    reason = reason.replace("\x00", "")[:1000]
    row.move_to(Status.FAILED, verdict=Scan.Verdict.FAILED, failure=reason, finished_at=Now())
    record(actor=actor, action="registry.scan_failed", target=row.version, reason=reason, outcome="failed")
    _tell(row)
    return row


def _tell(scan: Scan) -> None:
    version = scan.version
    body = {
        "model": version.model.name,
        "number": version.number,
        "verdict": scan.verdict,
        "digest": scan.digest,
    }
    emit(FINISHED, scan, body)


def _locked(scan: Scan) -> Scan:
    return Scan.objects.select_for_update(of=("self",)).select_related("version__model").get(pk=scan.pk)
