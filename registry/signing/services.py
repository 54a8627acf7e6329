"""Trusting keys, and keeping what their signatures were found to be."""

from __future__ import annotations

from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor, holds
from core.errors import Conflict, NotAllowed
from core.events import emit
from core.jobs import enqueue
from core.jobs.models import Job
from core.text import checked_text
from registry.locks import locked_version
from registry.models import ModelVersion
from registry.services.integrity import MAY_VERIFY
from registry.signing.keys import read_public_key
from registry.signing.models import TrustedKey, VersionSignature

CHECK_SIGNATURE = "registry.check_signature"
SIGNATURE_FILE = "model.sig"
MOST_CHECKED_AGAIN = 1000


@command
def trust_key(*, actor: Actor, name: str, public_key: str, reason: str) -> TrustedKey:
    """From now on signatures of this key count; those that waited for it are looked at again."""
    _require(actor)
    pem, fingerprint = read_public_key(public_key)
    name = checked_text(name, "name", 100, min_length=1)
    reason = checked_text(reason, "reason", 1000, min_length=1)
    for known in TrustedKey.objects.in_use().filter(fingerprint=fingerprint):
        raise Conflict(f"This key is trusted already, as {known.name}.", field="public_key")
    if TrustedKey.objects.in_use().filter(name=name).exists():
        raise Conflict(f"There is a trusted key named {name} already.", field="name")
    key = TrustedKey.objects.create(
        name=name, public_key=pem, fingerprint=fingerprint, reason=reason, added_by_id=actor.account_id
    )
    after = {"name": name, "fingerprint": fingerprint}
    record(actor=actor, action="registry.key_trusted", target=key, after=after, reason=reason)
    waiting = VersionSignature.objects.filter(outcome=VersionSignature.Outcome.UNTRUSTED)
    for each in waiting.select_related("version__model").defer("version__manifest")[:MOST_CHECKED_AGAIN]:
        enqueue(CHECK_SIGNATURE, subject=each.version, actor=actor, model=each.version.model)
    key.refresh_from_db()
    return key


@command
def retire_key(*, actor: Actor, key: TrustedKey, reason: str) -> TrustedKey:
    """New signatures of this key no longer count; what was verified with it stays known as such."""
    _require(actor)
    reason = checked_text(reason, "reason", 1000, min_length=1)
    retired = {"retired_at": Now(), "retired_by_id": actor.account_id, "retire_reason": reason}
    if not TrustedKey.objects.in_use().filter(pk=key.pk).update(**retired):
        raise Conflict(f"The key {key.name} is retired already.")
    key.refresh_from_db()
    before = {"name": key.name, "fingerprint": key.fingerprint}
    record(actor=actor, action="registry.key_retired", target=key, before=before, reason=reason)
    emit("registry.key_retired", key, before)
    return key


@command
def request_check(*, actor: Actor, version: ModelVersion) -> Job:
    """Have a worker look at the version's signature again."""
    if not any(holds(actor, right, version.model) for right in MAY_VERIFY):
        raise NotAllowed(f"You may not verify {version}; it needs one of the rights {', '.join(MAY_VERIFY)}.")
    row = locked_version(version)
    if not is_signed(row):
        raise Conflict(f"{row} has no file {SIGNATURE_FILE}, so there is no signature to check.")
    record(actor=actor, action="registry.signature_check_requested", target=row)
    return enqueue(CHECK_SIGNATURE, subject=row, actor=actor, model=row.model)


@command
def note_signature(
    *, actor: Actor, version: ModelVersion, is_verified: bool, key: TrustedKey | None, finding: str
) -> VersionSignature:
    """Keep what was found, and write down a change of it."""
    if not actor.is_system:
        raise NotAllowed("Only a worker checks signatures.")
    row = locked_version(version)
    outcomes = VersionSignature.Outcome
    outcome = outcomes.VERIFIED if is_verified else outcomes.FAILED if finding else outcomes.UNTRUSTED
    earlier = VersionSignature.objects.filter(version=row).select_related("key").first()
    before = {"outcome": earlier.outcome, "key": earlier.key and earlier.key.name} if earlier else {}
    found, _ = VersionSignature.objects.update_or_create(
        version=row,
        defaults={
            "outcome": outcome,
            "key": key,
            "finding": finding.replace("\x00", "")[:1000],
            "checked_at": Now(),
        },
    )
    after = {"outcome": str(outcome), "key": key and key.name}
    if before != after:
        record(
            actor=actor,
            action="registry.signature_checked",
            target=row,
            before=before,
            after={**after, "finding": found.finding},
            outcome="ok" if is_verified else "failed",
        )
        body = {"model": row.model.name, "number": row.number, "outcome": str(outcome)}
        emit("registry.signature_checked", row, body)
    found.refresh_from_db()
    return found


def is_signed(version: ModelVersion) -> bool:
    """Whether a signature lies among the version's files."""
    return any(entry["path"] == SIGNATURE_FILE for entry in version.manifest)


def _require(actor: Actor) -> None:
    if not actor.holds_everywhere("administer"):
        raise NotAllowed("You may not decide which keys are trusted; it needs the right to administer.")
