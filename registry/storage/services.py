"""Changes to what a model may keep and what must be kept."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed, PreconditionFailed
from core.text import checked_text
from registry import rights
from registry.locks import locked_model, locked_version
from registry.models import ModelVersion, RegisteredModel
from registry.storage.bytes_in_use import bytes_in_use
from registry.storage.models import LegalHold, ModelQuota

LARGEST_QUOTA = 2**63 - 1
UNSEEN: Any = object()


@command
def set_quota(
    *,
    actor: Actor,
    model: RegisteredModel,
    bytes: int | None,
    reason: str,
    expected_quota: int | None = UNSEEN,
) -> RegisteredModel:
    """Limit what the versions of a model may take together; None is the installation's own limit."""
    _require_quota_right(actor, model, bytes)
    reason = checked_text(reason, "reason", 1000, min_length=1)
    row = locked_model(model)
    before = {"quota_bytes": bytes_in_use(row).quota}
    if expected_quota is not UNSEEN and expected_quota != before["quota_bytes"]:
        raise PreconditionFailed(f"The quota of {row} has changed since you read it.", extra=before)
    if bytes is None:
        ModelQuota.objects.filter(model=row).delete()
    else:
        said = {"bytes": checked_bytes(bytes), "reason": reason, "set_by_id": actor.account_id}
        ModelQuota.objects.update_or_create(model=row, defaults={**said, "set_at": Now()})
    after = {"quota_bytes": bytes_in_use(row).quota}
    record(actor=actor, action="registry.quota_set", target=row, before=before, after=after, reason=reason)
    return row


@command
def place_hold(*, actor: Actor, version: ModelVersion, reason: str) -> LegalHold:
    """From now on nobody deletes the version or its model, whatever their rights."""
    _require_hold_right(actor, version)
    reason = checked_text(reason, "reason", 1000, min_length=1, multiline=True)
    row = locked_version(version)
    if LegalHold.objects.standing().filter(version=row).exists():
        raise Conflict(f"{row} is under legal hold already.", code="already_held")
    hold = LegalHold.objects.create(version=row, reason=reason, placed_by_id=actor.account_id)
    record(
        actor=actor, action="registry.hold_placed", target=row, reason=reason, after={"digest": row.digest}
    )
    return hold


@command
def release_hold(*, actor: Actor, version: ModelVersion, reason: str) -> LegalHold:
    """The version may be deleted again by those who may."""
    _require_hold_right(actor, version)
    reason = checked_text(reason, "reason", 1000, min_length=1, multiline=True)
    row = locked_version(version)
    hold = LegalHold.objects.standing().filter(version=row).first()
    if hold is None:
        raise Conflict(f"{row} is under no legal hold.", code="not_held")
    hold.released_by_id, hold.release_reason = actor.account_id, reason
    hold.released_at = Now()
    hold.save(update_fields=["released_by", "release_reason", "released_at"])
    hold.refresh_from_db()
    before = {"reason": hold.reason}
    record(actor=actor, action="registry.hold_released", target=row, reason=reason, before=before)
    return hold


def may_hold(actor: Actor, version: ModelVersion) -> bool:
    """Who administers all models or audits: a hold must bind the people of the model as well."""
    return actor.holds_everywhere("administer") or actor.holds_everywhere("audit")


def checked_bytes(value: int) -> int:
    if not 1 <= value <= LARGEST_QUOTA:
        raise Invalid("bytes must be 1 or more.", field="bytes", allowed=f"1 to {LARGEST_QUOTA}")
    return value


def _require_quota_right(actor: Actor, model: RegisteredModel, bytes: int | None) -> None:
    if not rights.may_administer(actor, model):
        raise NotAllowed(f"You may not set the quota of {model}; it needs the right to administer.")
    most = settings.REGISTRY_MODEL_QUOTA_BYTES
    if most and bytes is not None and bytes > most and not actor.holds_everywhere("administer"):
        raise NotAllowed(
            f"You may set a quota of at most {most} bytes, the installation's own; only who administers"
            " every model may allow more."
        )


def _require_hold_right(actor: Actor, version: ModelVersion) -> None:
    if not may_hold(actor, version):
        raise NotAllowed(
            f"You may not decide on a legal hold of {version}; it needs the right to audit, or to"
            " administer every model."
        )
