"""From asked for to healthy: everything before a deployment gets traffic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, NotAllowed
from core.events import emit
from core.jobs import enqueue
from core.text import checked_text
from deployments import rights
from deployments.history import move, note_line
from deployments.locks import locked_deployment, locked_endpoint
from deployments.models import NO_SLOT, Clearance, Deployment, Endpoint
from deployments.rollout import checked_rollout
from deployments.services.clearances import grant_clearance, require_deployable
from registry.locks import keep_in_place
from registry.models import ModelVersion

Status = Deployment.Status
START, ADVANCE = "deployments.start", "deployments.advance_rollout"


@command
def start_deployment(
    *,
    actor: Actor,
    endpoint: Endpoint,
    version: ModelVersion,
    clearance: Clearance | None = None,
    rollout: Mapping[str, Any] | None = None,
    reason: str = "",
    is_rollback: bool = False,
) -> Deployment:
    """Ask that a version be served. The same clearance twice is the same deployment.

    Deployments of one endpoint go one after another, in the order they were asked for.
    """
    if not rights.may_deploy(actor, endpoint.model) and not (
        is_rollback and rights.may_roll_back(actor, endpoint)
    ):
        raise NotAllowed(f"You may not deploy to {endpoint}; it needs the right to deploy.")
    steps = checked_rollout(rollout)
    reason = checked_text(reason, "reason", 2000, multiline=True)
    row = locked_endpoint(endpoint)
    if version.model_id != row.model_id:
        raise Conflict(f"{version} is not a version of {row.model}.")
    keep_in_place(version)
    require_deployable(version)
    if clearance is not None:
        known = Deployment.objects.filter(clearance=clearance).select_related("endpoint", "version").first()
        if known is not None:
            return known
    if row.live is not None and row.live.version_id == version.pk:
        raise Conflict(f"{version} is live in {row.environment} already.", code="already_live")
    clearance = _cleared(actor, row, version, clearance)
    deployment = Deployment.objects.create(
        endpoint=row,
        version=version,
        digest=version.digest,
        is_protected=row.environment.is_protected,
        clearance=clearance,
        rollout=steps,
        replaces=row.live,
        reason=reason,
        is_rollback=is_rollback,
        created_by_id=actor.account_id,
        created_by_name=actor.account_name,
    )
    deployment.refresh_from_db(fields=["created_at"])
    note_line(actor, deployment, reason)
    after = {
        "endpoint": str(row),
        "version": version.number,
        "digest": version.digest,
        "clearance": str(clearance.pk),
        "clearance_kind": clearance.kind,
        "rollout": steps,
    }
    record(actor=actor, action="deployments.requested", target=deployment, after=after, reason=reason)
    enqueue(START, subject=deployment, actor=actor, model=row.model)
    return deployment


@command
def begin(*, actor: Actor, deployment: Deployment) -> Deployment:
    """Take the endpoint's next fence and let the agent start a scorer; waits for its turn."""
    row = locked_deployment(deployment)
    if row.status != Status.QUEUED or is_busy(row.endpoint) or _oldest_queued(row.endpoint) != row.pk:
        return row
    if row.clearance is not None and not Clearance.objects.valid().filter(pk=row.clearance_id).exists():
        return _fail(actor, row, "clearance_expired", "The clearance has expired or was revoked.")
    version = row.version
    if version.digest != row.digest or not version.is_intact:
        return _fail(
            actor, row, "digest_mismatch", f"The files of {version} are not those that were cleared."
        )
    fence = next_fence(row.endpoint)
    move(
        actor,
        row,
        Status.LEASED,
        fence=fence,
        started_at=Now(),
        slot=Deployment.Slot.CANARY,
        replaces=row.endpoint.live,
    )
    move(actor, row, Status.STARTING, note="The agent copies and hashes the files, then starts a scorer.")
    record(actor=actor, action="deployments.starting", target=row, after={"fence": fence})
    return row


@command
def fail_deployment(
    *, actor: Actor, deployment: Deployment, fence: int, code: str, failure: str
) -> Deployment:
    """It cannot be served. What was live stays live."""
    row = locked_deployment(deployment)
    if row.fence != fence or row.status not in Deployment.BEFORE_LIVE:
        return row
    return _fail(actor, row, code, failure)


def is_busy(endpoint: Endpoint) -> bool:
    """Whether a rollout is under way on the endpoint."""
    return Deployment.objects.in_flight().filter(endpoint=endpoint).exists()


def next_fence(endpoint: Endpoint) -> int:
    """One more than any fence the endpoint has seen; its row is locked."""
    Endpoint.objects.filter(pk=endpoint.pk).update(fence=F("fence") + 1)
    endpoint.refresh_from_db(fields=["fence"])
    return endpoint.fence


def start_next(actor: Actor, endpoint: Endpoint) -> None:
    """The endpoint is free: let the deployment that waited longest begin."""
    oldest = (
        Deployment.objects.filter(endpoint=endpoint, status=Status.QUEUED)
        .order_by("created_at", "pk")
        .first()
    )
    if oldest is not None:
        enqueue(START, subject=oldest, actor=actor, model=endpoint.model)


def tell(topic: str, deployment: Deployment, **more: Any) -> None:
    """An event about a deployment, with what its subscribers always need."""
    body = {
        "deployment": str(deployment.pk),
        "endpoint": str(deployment.endpoint_id),
        "environment": deployment.endpoint.environment.name,
        "model": str(deployment.endpoint.model_id),
        "version": str(deployment.version_id),
        "version_number": deployment.version.number,
        "digest": deployment.digest,
        "clearance": str(deployment.clearance_id or ""),
        "reference": deployment.clearance.reference if deployment.clearance else "",
        "fence": deployment.fence,
        **more,
    }
    emit(topic, deployment, body)


def _fail(actor: Actor, row: Deployment, code: str, failure: str) -> Deployment:
    move(
        actor,
        row,
        Status.FAILED,
        note=failure,
        failure_code=code,
        failure=failure,
        slot=NO_SLOT,
        weight=0,
        ended_at=Now(),
    )
    after = {"code": code, "failure": failure}
    record(actor=actor, action="deployments.failed", target=row, after=after, outcome="failed")
    tell("deployments.failed", row, code=code, failure=failure)
    start_next(actor, row.endpoint)
    return row


def _cleared(
    actor: Actor, endpoint: Endpoint, version: ModelVersion, clearance: Clearance | None
) -> Clearance:
    if clearance is None:
        if endpoint.environment.is_protected:
            raise NotAllowed(
                f"{endpoint.environment} is protected: {version} needs an approved promotion request.",
                code="clearance_required",
            )
        return grant_clearance(
            actor=actor, version=version, environment=endpoint.environment, kind=Clearance.Kind.UNPROTECTED
        )
    fits = (
        clearance.version_id == version.pk
        and clearance.environment_id == endpoint.environment_id
        and clearance.digest == version.digest
    )
    if not fits:
        raise NotAllowed(
            "The clearance is of another version, digest or environment.", code="clearance_required"
        )
    if not Clearance.objects.valid().filter(pk=clearance.pk).exists():
        raise Conflict("The clearance has expired or was revoked.", code="approval_expired")
    return clearance


def _oldest_queued(endpoint: Endpoint) -> Any:
    waiting = Deployment.objects.filter(endpoint=endpoint, status=Status.QUEUED).order_by("created_at", "pk")
    return waiting.values_list("pk", flat=True).first()
