"""Permission for exactly these bytes to go to this environment."""

from __future__ import annotations

from datetime import datetime

from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed
from core.text import checked_text
from deployments import rights
from deployments.models import Clearance, Environment
from registry.models import ModelVersion
from registry.prompts.content import is_prompt


@command
def grant_clearance(
    *,
    actor: Actor,
    version: ModelVersion,
    environment: Environment,
    kind: str,
    evidence_sha256: str = "",
    reference: str = "",
    reason: str = "",
    expires_at: datetime | None = None,
) -> Clearance:
    """Clear a ready version, by its digest, for one deployment to an environment."""
    _require_may_clear(actor, kind, version, environment)
    require_deployable(version)
    clearance = Clearance.objects.create(
        model=version.model,
        version=version,
        environment=environment,
        digest=version.digest,
        kind=kind,
        evidence_sha256=evidence_sha256,
        reference=reference,
        reason=checked_text(reason, "reason", 2000, multiline=True),
        granted_by_id=actor.account_id,
        granted_by_name=actor.account_name,
        expires_at=expires_at,
    )
    after = {
        "kind": kind,
        "model": version.model.name,
        "environment": environment.name,
        "is_protected": environment.is_protected,
        "version": version.number,
        "digest": version.digest,
        "evidence_sha256": evidence_sha256,
        "reference": reference,
    }
    record(actor=actor, action="deployments.clearance_granted", target=clearance, after=after, reason=reason)
    return clearance


def _require_may_clear(actor: Actor, kind: str, version: ModelVersion, environment: Environment) -> None:
    if kind not in Clearance.Kind.values:
        allowed = ", ".join(Clearance.Kind.values)
        raise Invalid(f"kind must be one of: {allowed}.", field="kind", allowed=allowed)
    if not rights.may_clear(actor, kind, version.model):
        raise NotAllowed(f"You may not clear {version} for {environment}.", code="clearance_refused")
    if kind == Clearance.Kind.UNPROTECTED and environment.is_protected:
        raise NotAllowed(
            f"{environment} is protected: it needs an approved request.", code="clearance_required"
        )


@command
def revoke_clearance(*, actor: Actor, clearance: Clearance, reason: str) -> Clearance:
    """Take back a clearance that has not been used to go live."""
    if not (actor.is_system or rights.may_deploy(actor, clearance.model)):
        raise NotAllowed(f"You may not revoke the {clearance}.")
    if Clearance.objects.filter(pk=clearance.pk, revoked_at__isnull=True).update(revoked_at=Now()):
        record(actor=actor, action="deployments.clearance_revoked", target=clearance, reason=reason)
    clearance.refresh_from_db()
    return clearance


def require_deployable(version: ModelVersion) -> None:
    """The version's files are finished, not deleted, and those that were registered."""
    if version.deleted_at is not None or not version.is_ready:
        raise Conflict(f"{version} is not ready, so it cannot be deployed.", code="version_not_ready")
    if is_prompt(version.model):
        raise Conflict(f"{version} is a prompt: a text, which is not deployed.", code="prompt_not_deployed")
    if not version.is_intact:
        raise Conflict(
            f"The files of {version} are not those that were registered: {version.integrity_failure}",
            code="digest_mismatch",
        )
