"""What was found when stored bytes were hashed again."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor, holds
from core.errors import Conflict, NotAllowed
from core.events import emit
from core.jobs import enqueue
from core.jobs.models import Job
from registry.locks import locked_version
from registry.models import ModelVersion
from registry.models.versions import ModelVersionQuerySet

VERIFY = "registry.verify_version"
INTEGRITY_BROKEN = "registry.integrity_broken"
MOST_SHARING, MOST_BROKEN = 1000, 1000
MAY_VERIFY = ("register", "approve", "deploy", "administer", "audit")


@command
def request_verification(*, actor: Actor, version: ModelVersion) -> Job:
    """Have a worker hash the stored bytes of a version again."""
    if not any(holds(actor, right, version.model) for right in MAY_VERIFY):
        raise NotAllowed(f"You may not verify {version}; it needs one of the rights {', '.join(MAY_VERIFY)}.")
    row = locked_version(version)
    if not row.is_ready:
        raise Conflict(f"{row} {row.state_words}; there is nothing to verify yet.")
    record(actor=actor, action="registry.verification_requested", target=row)
    return enqueue(VERIFY, subject=row, actor=actor, model=row.model)


@command
def note_download(*, actor: Actor, version: ModelVersion, path: str, part: str = "") -> None:
    """Reading a model's bytes is a read that matters: it leaves an event, also for a part of a file."""
    if not holds(actor, "view", version.model):
        raise NotAllowed(f"You may not download files of {version}; it needs the right to view.")
    after = {"path": path, **({"part": part} if part else {})}
    record(actor=actor, action="registry.file_downloaded", target=version, after=after)


@command
def note_intact(*, actor: Actor, version: ModelVersion) -> ModelVersion:
    """Every file was found as registered; a break noted earlier is thereby healed."""
    _require_system(actor)
    row = locked_version(version)
    was_broken = row.integrity_failure
    ModelVersion.objects.filter(pk=row.pk).update(verified_at=Now(), integrity_failure="")
    row.refresh_from_db(fields=["verified_at", "integrity_failure"])
    if was_broken:
        before = {"integrity_failure": was_broken}
        record(actor=actor, action="registry.integrity_restored", target=row, before=before)
        kept = {each["sha256"] for each in row.manifest}
        broken = _ready().exclude(integrity_failure="")[:MOST_BROKEN]
        _verify_unless_waiting(each for each in broken if kept & {one["sha256"] for one in each.manifest})
    return row


@command
def report_broken(*, actor: Actor, version: ModelVersion, path: str, found: str) -> ModelVersion:
    """A stored file is not what was registered: note it and tell whoever serves the version."""
    _require_system(actor)
    row = locked_version(version)
    failure = f"{path}: {found}"[:1000]
    if row.integrity_failure == failure:
        return row
    ModelVersion.objects.filter(pk=row.pk).update(integrity_failure=failure)
    row.integrity_failure = failure
    after = {"path": path, "found": found, "digest": row.digest}
    record(actor=actor, action=INTEGRITY_BROKEN, target=row, after=after, outcome="failed")
    emit(
        INTEGRITY_BROKEN, row, {"model": row.model.name, "number": row.number, "digest": row.digest, **after}
    )
    for object_digest in [each["sha256"] for each in row.manifest if each["path"] == path]:
        # The same stored bytes are other versions', too: those say so as soon as a worker has looked.
        sharing = _ready().filter(integrity_failure="", manifest__contains=[{"sha256": object_digest}])
        _verify_unless_waiting(sharing.exclude(pk=row.pk).defer("manifest")[:MOST_SHARING])
    return row


def _verify_unless_waiting(versions: Iterable[ModelVersion]) -> None:
    """One job for each: of many that share a file, each finds the others waiting already."""
    found = {str(each.pk): each for each in versions}
    open_jobs = Job.objects.open().filter(kind=VERIFY, subject_id__in=list(found))
    for pk in found.keys() - set(open_jobs.values_list("subject_id", flat=True)):
        enqueue(VERIFY, subject=found[pk], model=found[pk].model)


def _ready() -> ModelVersionQuerySet:
    return ModelVersion.objects.ready().select_related("model").defer("requirements", "signature", "flavours")


def _require_system(actor: Actor) -> None:
    if not actor.is_system:
        raise NotAllowed("Only a worker hashes stored bytes.")
