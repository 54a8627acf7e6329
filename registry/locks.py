# ruff: noqa: S608 - what is put together here are constants; every value is bound
"""Rows are locked in one order, model before version, so that changes never deadlock.

``changed_…`` do in one prepared statement what nearly every change begins with: lock the row,
count the change, and read what the actor holds by grants, so that ``holds`` need not ask again.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, JSONField
from django.db.models.functions import Now

from core.actors import Actor
from core.errors import Conflict, NotFound, PreconditionFailed
from core.hot_reads import fetch_row
from core.hot_rows import columns, made_row, names_of
from registry.access import held
from registry.models import ModelVersion, RegisteredModel

MODEL_FIELDS = names_of(RegisteredModel)
# Without what can be large; who needs that reads it by itself.
VERSION_FIELDS = tuple(each for each in names_of(ModelVersion, without=[JSONField]) if each != "requirements")
MODEL_COLUMNS = columns(RegisteredModel, "m", MODEL_FIELDS)
VERSION_COLUMNS = columns(ModelVersion, "v", VERSION_FIELDS)
COUNTED = "rev = {0}.rev + 1, last_updated_at = statement_timestamp()"

CHANGE_MODEL = f"""UPDATE registry_registeredmodel m SET {COUNTED.format("m")}
 WHERE m.id = %s AND m.deleted_at IS NULL RETURNING {MODEL_COLUMNS}, {held.HELD}"""
CHANGE_MODEL_FOR_NEXT = CHANGE_MODEL.replace(" SET ", " SET next_number = m.next_number + 1, ", 1)
CHANGE_VERSION = f"""WITH locked AS (SELECT {MODEL_COLUMNS}, {held.HELD} AS held FROM registry_registeredmodel m
  WHERE m.id = %s AND m.deleted_at IS NULL FOR NO KEY UPDATE)
 UPDATE registry_modelversion v SET {COUNTED.format("v")} FROM locked
 WHERE v.id = %s AND v.model_id = locked.id AND v.deleted_at IS NULL
 RETURNING {VERSION_COLUMNS}, {columns(RegisteredModel, "locked", MODEL_FIELDS)}, locked.held"""


def changed_model(actor: Actor, model: RegisteredModel, *, takes_number: bool = False) -> RegisteredModel:
    """The locked row with one change counted, and a version's number taken where asked."""
    sql = CHANGE_MODEL_FOR_NEXT if takes_number else CHANGE_MODEL
    found = fetch_row(sql, [model.pk, *held.parameters(actor)])
    if found is None:
        raise NotFound(f"There is no registered model named {model.name}.")
    return _with_rights(actor, found)


def changed_version(actor: Actor, version: ModelVersion) -> ModelVersion:
    """The version's row, locked after its model's, with one change counted."""
    found = fetch_row(CHANGE_VERSION, [*held.parameters(actor), version.model_id, version.pk])
    if found is None:
        raise NotFound(f"{version.model} has no version {version.number}.")
    row = made_row(ModelVersion, VERSION_FIELDS, found[: len(VERSION_FIELDS)])
    row.model = _with_rights(actor, found[len(VERSION_FIELDS) :])
    return row


def _with_rights(actor: Actor, found: tuple[Any, ...]) -> RegisteredModel:
    row = made_row(RegisteredModel, MODEL_FIELDS, found[:-1])
    row.held = held.Held(actor, frozenset(found[-1]))
    return row


def locked_model(model: RegisteredModel, expected_rev: int | None = None) -> RegisteredModel:
    """The model's row as it is now, locked until the end of the transaction."""
    row = RegisteredModel.objects.existing().select_for_update(no_key=True).filter(pk=model.pk).first()
    if row is None:
        raise NotFound(f"There is no registered model named {model.name}.")
    if expected_rev is not None and row.rev != expected_rev:
        raise PreconditionFailed(
            f"{row} has revision {row.rev} now; you saw revision {expected_rev}.",
            extra={"current_revision": row.rev},
        )
    return row


def locked_version(version: ModelVersion, expected_rev: int | None = None) -> ModelVersion:
    """The version's row as it is now, locked after its model's."""
    model = locked_model(version.model)
    row = (
        ModelVersion.objects.existing()
        .select_for_update(no_key=True, of=("self",))
        .filter(pk=version.pk)
        .first()
    )
    if row is None:
        raise NotFound(f"{model} has no version {version.number}.")
    if expected_rev is not None and row.rev != expected_rev:
        raise PreconditionFailed(
            f"{row} has revision {row.rev} now; you saw revision {expected_rev}.",
            extra={"current_revision": row.rev},
        )
    row.model = model
    return row


def own_version(model: RegisteredModel, version: ModelVersion) -> ModelVersion:
    """The locked version, which must be one of this model's."""
    if version.model_id != model.pk:
        raise Conflict(f"{version} is not a version of {model}.")
    return locked_version(version)


STAYS = "SELECT v.id FROM registry_modelversion v WHERE v.id = %s AND v.deleted_at IS NULL FOR KEY SHARE"
GOES = "SELECT v.id FROM registry_modelversion v WHERE v.id = ANY(%s) ORDER BY v.id FOR UPDATE"


def keep_in_place(version: ModelVersion) -> None:
    """Let nobody delete the version before the end of the transaction, which needs it.

    The weakest lock there is: it waits for a deletion under way and for nothing else.
    """
    if fetch_row(STAYS, [version.pk]) is None:
        raise NotFound(f"{version.model} has no version {version.number}.")


def wait_for_keepers(versions: Iterable[ModelVersion]) -> None:
    """Before a deletion asks what needs these versions: let those finish that say so just now."""
    fetch_row(GOES, [[version.pk for version in versions]])


def touch(row: RegisteredModel | ModelVersion) -> None:
    """Count a change of the row, for ETags and for MLflow's last-updated order."""
    type(row)._default_manager.filter(pk=row.pk).update(rev=F("rev") + 1, last_updated_at=Now())
    row.refresh_from_db(fields=["rev", "last_updated_at"])
