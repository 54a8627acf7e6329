"""Changes to model versions, except their registration's outcome (see ``registration``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed
from core.hot_rows import insert_row
from core.jobs import enqueue
from core.text import checked_text
from registry import rights
from registry.locks import changed_model, locked_version, touch, wait_for_keepers
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from registry.retention import reasons_to_keep
from registry.services.models import checked_description
from registry.services.tags import checked_tags, put_first_tags
from registry.sources import LOGGED_MODEL_ID, Source, parse_source
from registry.storage.bytes_in_use import require_some_room
from registry.storage.tombstones import bury
from registry.tracked import RUN_ID

FINALISE = "registry.finalise_version"


class Unreadable(Invalid):
    """A version somebody may not see, named as a source: an attempt worth a denied event."""


@command(refusals=(NotAllowed, Unreadable))
def create_version(
    *,
    actor: Actor,
    model: RegisteredModel,
    source: str,
    run_id: str = "",
    logged_model_id: str = "",
    run_link: str = "",
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> ModelVersion:
    """Register a version: it gets its number now and is READY when a worker has hashed its files."""
    row = changed_model(actor, model, takes_number=True)
    if not rights.may_register(actor, row):
        raise NotAllowed(f"You may not register versions of {row}; it needs the right to register.")
    parsed = parse_source(source)
    run_id, logged_model_id = checked_owners(parsed, run_id or "", logged_model_id or "")
    origin = None
    if parsed.kind == "version":
        origin = _readable(actor, parsed)
        _require_owners_of(origin, run_id, logged_model_id)
    pairs = checked_tags(tags or {})
    require_some_room(row)
    version = ModelVersion(
        model=row,
        number=row.next_number - 1,
        source=source,
        run_id=run_id,
        logged_model_id=logged_model_id,
        run_link=checked_text(run_link or "", "run_link", 2000),
        description=checked_description(description or ""),
        created_by_id=actor.account_id,
        parent=origin,
    )
    insert_row(version)
    put_first_tags(version, pairs)
    after = {"source": source, "run_id": run_id, "logged_model_id": logged_model_id, "tags": sorted(pairs)}
    record(actor=actor, action="registry.version_created", target=version, after=after)
    enqueue(FINALISE, subject=version, actor=actor, model=row)
    return version


@command
def retry_registration(*, actor: Actor, version: ModelVersion) -> ModelVersion:
    """Try again to copy and hash the files of a version whose registration failed."""
    if not rights.may_register(actor, version.model):
        raise NotAllowed(f"You may not register versions of {version.model}; it needs the right to register.")
    row = locked_version(version)
    row.move_to(ModelVersion.Status.PENDING_REGISTRATION, status_message="")
    touch(row)
    record(actor=actor, action="registry.version_retried", target=row)
    enqueue(FINALISE, subject=row, actor=actor, model=row.model)
    return row


@command
def update_version(
    *, actor: Actor, version: ModelVersion, description: str, expected_rev: int | None = None
) -> ModelVersion:
    """Change what people say of a version; its content never changes."""
    _require(actor, version, "describe")
    row = locked_version(version, expected_rev)
    before = {"description": row.description}
    row.description = checked_description(description)
    row.save(update_fields=["description"])
    touch(row)
    after = {"description": row.description}
    record(actor=actor, action="registry.version_updated", target=row, before=before, after=after)
    return row


@command(refusals=(NotAllowed, Conflict))
def delete_version(
    *, actor: Actor, version: ModelVersion, reason: str = "", expected_rev: int | None = None
) -> None:
    """Delete a version and its aliases, unless something needs it; its number is never reused."""
    _require(actor, version, "delete")
    reason = checked_text(reason, "reason", 1000, multiline=True)
    row = locked_version(version, expected_rev)
    wait_for_keepers([row])
    kept = reasons_to_keep([row])
    if row.pk in kept:
        raise Conflict(f"{row} cannot be deleted: it {kept[row.pk]}.", code="version_is_needed")
    aliases = list(ModelAlias.objects.filter(version=row).values_list("name", flat=True))
    bury(actor, row.model, [row], reason)
    ModelAlias.objects.filter(version=row).delete()
    ModelVersion.objects.filter(pk=row.pk).update(deleted_at=Now())
    touch(row.model)
    before: dict[str, Any] = {"digest": row.digest, "source": row.source, "aliases": aliases}
    record(actor=actor, action="registry.version_deleted", target=row, before=before, reason=reason)


def checked_owners(source: Source, run_id: str, logged_model_id: str) -> tuple[str, str]:
    """The run and logged model of a source, which must be those the caller names."""
    if run_id and not RUN_ID.fullmatch(run_id):
        raise Invalid(
            "run_id must be a run's id.", field="run_id", allowed="1 to 64 letters, digits, '_' and '-'"
        )
    if logged_model_id and not LOGGED_MODEL_ID.match(logged_model_id):
        raise Invalid("model_id must be a logged model's id.", field="model_id", allowed="m-<id>")
    if source.kind == "run":
        if run_id and run_id != source.owner:
            raise Invalid(
                "The source belongs to another run than run_id.", field="source", allowed=f"runs:/{run_id}/…"
            )
        run_id = source.owner
    if source.kind == "logged_model":
        if logged_model_id and logged_model_id != source.owner:
            allowed = f"models:/{logged_model_id}"
            raise Invalid(
                "The source is another logged model than model_id.", field="source", allowed=allowed
            )
        logged_model_id = source.owner
    if source.kind == "artifacts" and not (run_id or logged_model_id):
        raise Invalid(
            "An mlflow-artifacts: source needs run_id or model_id, the run or logged model that owns it.",
            field="run_id",
            allowed="the id of the run or logged model that owns the source",
        )
    return run_id, logged_model_id


def _readable(actor: Actor, source: Source) -> ModelVersion:
    """The version to copy. It needs sight of it; what one may not see does not exist."""
    known = ModelVersion.objects.visible_to(actor).ready().in_lists()
    origin = known.filter(model__name=source.owner, number=source.number).first()
    if origin is None:
        raise Unreadable(
            f"There is no ready version {source.number} of a registered model {source.owner!r}.",
            field="source",
            allowed="a ready model version",
        )
    return origin


def _require_owners_of(origin: ModelVersion, run_id: str, logged_model_id: str) -> None:
    """A copy is of what its origin is of: facts belong to the bytes, and are not borrowed from another run."""
    for field, named, known in (
        ("run_id", run_id, origin.run_id),
        ("model_id", logged_model_id, origin.logged_model_id),
    ):
        if named not in {"", known}:
            raise Invalid(
                f"{origin} is not of {named}.",
                field=field,
                allowed=f"nothing, or {known}" if known else "nothing",
            )


def _require(actor: Actor, version: ModelVersion, what: str) -> None:
    if not (rights.may_register(actor, version.model) or rights.may_administer(actor, version.model)):
        raise NotAllowed(f"You may not {what} {version}; it needs the right to register on {version.model}.")
