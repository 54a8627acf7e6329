"""Rows are locked in one order, model before version, so that changes never deadlock."""

from django.db.models import F
from django.db.models.functions import Now

from core.errors import Conflict, NotFound, PreconditionFailed
from registry.models import ModelVersion, RegisteredModel


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


def touch(row: RegisteredModel | ModelVersion) -> None:
    """Count a change of the row, for ETags and for MLflow's last-updated order."""
    type(row)._default_manager.filter(pk=row.pk).update(rev=F("rev") + 1, last_updated_at=Now())
    row.refresh_from_db(fields=["rev", "last_updated_at"])
