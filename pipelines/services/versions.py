"""Changes to data set versions: registered, read by a worker, quarantined and released."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from django.db.models import F
from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor, holds
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.events import emit
from core.jobs import enqueue
from core.object_store import StoredObject, store
from core.text import checked_json, checked_text
from pipelines import rights
from pipelines.inspected import Inspected
from pipelines.models import DataContract, Dataset, DatasetVersion
from pipelines.services.contracts import keep_check
from pipelines.services.freshness import settle_alarm

PROFILE = "pipelines.profile_version"
VERSION_READY = "pipelines.version_ready"
VERSION_QUARANTINED = "pipelines.version_quarantined"
VERSION_RELEASED = "pipelines.version_released"
Content = StoredObject | Path | BinaryIO
Status = DatasetVersion.Status


@command
def register_version(
    *,
    actor: Actor,
    dataset: Dataset,
    content: Content,
    label: str = "",
    description: str = "",
    source_name: str = "",
    parents: Sequence[DatasetVersion] = (),
    derivation: dict[str, Any] | None = None,
) -> DatasetVersion:
    """Register a table (Parquet or CSV); a worker reads, describes and checks it.

    The same bytes registered again are the version they already are.
    """
    if not rights.may_register(actor, dataset):
        raise NotAllowed(f"You may not add versions to {dataset}; it needs the right to register.")
    about = {
        "label": checked_text(label, "label", 100),
        "description": checked_text(description, "description", 1000, multiline=True),
        "source_name": checked_text(source_name, "source_name", 255),
        "derivation": checked_json(derivation or {}, "derivation"),
    }
    stored = _stored(content)
    if stored.size == 0:
        raise Invalid("The file is empty.", field="file", allowed="a table with at least one row")
    row = Dataset.objects.select_for_update().get(pk=dataset.pk)
    known = row.versions.filter(source_digest=stored.digest).exclude(status=Status.FAILED).first()
    if known is not None:
        return known
    version = DatasetVersion.objects.create(
        dataset=row,
        number=row.next_number,
        source_format=_format(stored.digest),
        source_digest=stored.digest,
        source_size=stored.size,
        created_by_id=actor.account_id,
        **about,
    )
    version.parents.set(parents)
    Dataset.objects.filter(pk=row.pk).update(next_number=F("next_number") + 1)
    after = {"label": version.label, "source_digest": stored.digest, "size": stored.size}
    record(
        actor=actor,
        action="pipelines.version_registered",
        target=version,
        after={**after, "parents": [str(each) for each in parents]},
    )
    enqueue(PROFILE, subject=version, actor=actor)
    version.refresh_from_db()
    return version


@command
def finish_version(
    *, actor: Actor, version: DatasetVersion, found: Inspected, contract: DataContract | None
) -> DatasetVersion:
    """Keep what a worker read, once; from now on the version never changes."""
    _require_system(actor)
    row = _locked(version)
    row.move_to(
        Status.READY,
        digest=found.digest,
        size=found.size,
        rows=found.rows,
        schema=checked_json(found.schema, "schema"),
        profile=checked_json(found.profile, "profile"),
        event_time_from=found.event_time_from,
        event_time_to=found.event_time_to,
        failure="",
        ready_at=Now(),
    )
    row.refresh_from_db()
    after = {"digest": row.digest, "rows": row.rows, "columns": len(row.schema)}
    record(actor=actor, action="pipelines.version_ready", target=row, after=after)
    emit(VERSION_READY, row, {"dataset": row.dataset.name, "number": row.number, "digest": row.digest})
    settle_alarm(actor, row.dataset)
    if contract is not None and found.results is not None:
        keep_check(actor=actor, version=row, contract=contract, results=found.results)
    return row


@command
def fail_version(*, actor: Actor, version: DatasetVersion, reason: str, field: str = "") -> DatasetVersion:
    """Say why the file cannot be read; the same bytes may be registered again."""
    _require_system(actor)
    row = _locked(version)
    row.move_to(Status.FAILED, failure=reason.replace("\x00", "")[:1000])
    after = {"field": field} if field else None
    record(
        actor=actor,
        action="pipelines.version_failed",
        target=row,
        after=after,
        reason=reason,
        outcome="failed",
    )
    return row


@command
def quarantine_version(*, actor: Actor, version: DatasetVersion, reason: str) -> DatasetVersion:
    """Keep a version from being used; what was made from it stays and is shown."""
    return _switch(actor, version, Status.QUARANTINED, reason, "pipelines.version_quarantined")


@command
def release_version(*, actor: Actor, version: DatasetVersion, reason: str) -> DatasetVersion:
    """Let a quarantined version be used again."""
    return _switch(actor, version, Status.READY, reason, "pipelines.version_released")


@command
def note_download(*, actor: Actor, version: DatasetVersion) -> None:
    """Taking data out of the installation is a read that matters."""
    if not holds(actor, "view", version.dataset):
        raise NotAllowed(f"You may not read {version}; it needs the right to view.")
    if not version.digest:
        raise NotFound(f"{version} has no content yet.")
    record(actor=actor, action="pipelines.version_downloaded", target=version)


def _switch(actor: Actor, version: DatasetVersion, status: str, reason: str, action: str) -> DatasetVersion:
    if not rights.may_administer(actor, version.dataset):
        raise NotAllowed(
            f"You may not quarantine or release {version}; it needs the right to administer {version.dataset}."
        )
    reason = checked_text(reason, "reason", 1000, min_length=1, multiline=True)
    row = _locked(version)
    needed = {Status.READY: Status.QUARANTINED, Status.QUARANTINED: Status.READY}[Status(status)]
    if row.status != needed:
        raise Conflict(f"{row} is {row.status}; only what is {needed} can become {status}.")
    before = {"status": row.status}
    row.move_to(status, quarantine_reason=reason if status == Status.QUARANTINED else "")
    topic = VERSION_QUARANTINED if status == Status.QUARANTINED else VERSION_RELEASED
    emit(topic, row, {"dataset": row.dataset.name, "number": row.number, "reason": reason})
    record(actor=actor, action=action, target=row, before=before, after={"status": status}, reason=reason)
    settle_alarm(actor, row.dataset)
    return row


def _stored(content: Content) -> StoredObject:
    if isinstance(content, StoredObject):
        return content
    return store().put_file(content) if isinstance(content, Path) else store().put_stream(content)


def _format(digest: str) -> str:
    with store().open(digest) as start:
        is_parquet = start.read(4) == b"PAR1"
    return DatasetVersion.Format.PARQUET if is_parquet else DatasetVersion.Format.CSV


def _locked(version: DatasetVersion) -> DatasetVersion:
    rows = DatasetVersion.objects.select_for_update(of=("self",)).select_related("dataset")
    return rows.get(pk=version.pk)


def _require_system(actor: Actor) -> None:
    if not actor.is_system:
        raise NotAllowed("Only a worker reads what was registered.")
