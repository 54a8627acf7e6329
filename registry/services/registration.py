"""The outcome of a registration: READY with its content, or failed with a reason."""

from __future__ import annotations

from django.db.models import F
from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import NotAllowed
from core.events import emit
from registry.contents import Contents
from registry.locks import locked_version, touch
from registry.models import ModelVersion, VersionDataset
from registry.storage.bytes_in_use import Allowance

VERSION_READY = "registry.version_ready"


@command
def finish_registration(*, actor: Actor, version: ModelVersion, contents: Contents) -> ModelVersion:
    """Give the version its content, once; from now on it never changes."""
    _require_system(actor)
    row = locked_version(version)
    Allowance(row.model).check(contents.size)  # others may have registered while we copied
    said, facts = contents.description, contents.facts
    row.move_to(
        ModelVersion.Status.READY,
        status_message="",
        digest=contents.digest,
        manifest=contents.manifest,
        size=contents.size,
        file_count=len(contents.manifest),
        flavours=said.flavours,
        signature=said.signature,
        requirements=said.requirements,
        environment={
            **{name: value for name, value in said.environment.items() if value},
            **facts.environment,
        },
        format_warning=said.format_warning[:500],
        run=facts.run,
        run_id=row.run_id or contents.run_id,
        logged_model_id=row.logged_model_id or contents.logged_model_id,
        parameters=facts.parameters,
        metrics=facts.metrics,
        code_commit=facts.code_commit,
        holdout=facts.holdout,
        parent=contents.parent,
        ready_at=Now(),
        verified_at=Now(),
        rev=F("rev") + 1,
        last_updated_at=Now(),
    )
    row.refresh_from_db()
    VersionDataset.objects.bulk_create(
        VersionDataset(version=row, dataset_version=data, role=role) for role, data in contents.data
    )
    touch(row.model)
    after = {
        "digest": row.digest,
        "files": row.file_count,
        "size": row.size,
        "run_id": row.run_id,
        "code_commit": row.code_commit,
        "parent": str(contents.parent.pk) if contents.parent else None,
        "format_warning": row.format_warning,
        "data": [{"role": role, "digest": data.digest, "id": str(data.pk)} for role, data in contents.data],
    }
    record(actor=actor, action="registry.version_ready", target=row, after=after)
    emit(VERSION_READY, row, {"model": row.model.name, "number": row.number, "digest": row.digest})
    return row


@command
def fail_registration(*, actor: Actor, version: ModelVersion, reason: str) -> ModelVersion:
    """Say why the version has no content; it can be tried again."""
    _require_system(actor)
    row = locked_version(version)
    reason = reason.replace("\x00", "")[:1000]
    row.move_to(ModelVersion.Status.FAILED_REGISTRATION, status_message=reason)
    touch(row)
    record(actor=actor, action="registry.version_failed", target=row, reason=reason, outcome="failed")
    emit("registry.version_failed", row, {"model": row.model.name, "number": row.number, "reason": reason})
    return row


def _require_system(actor: Actor) -> None:
    if not actor.is_system:
        raise NotAllowed("Only a worker finishes a registration.")
