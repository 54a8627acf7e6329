"""From approved to live: everything is checked again, under lock, after the signatures are sealed."""

from __future__ import annotations

from django.utils import timezone

from approvals.locks import locked_request
from approvals.models import Decision, PromotionRequest
from approvals.services.deciding import EXECUTE, blocking_gates, lacking, release
from approvals.services.judging import changed_lines, fresh_evidence, judge_gates, void_approvals
from approvals.services.policies import apply_current_policy
from approvals.services.requests import JUDGE
from audit import tree
from audit.services import command, record
from core.actors import Actor, holds
from core.errors import Conflict, NotAllowed
from core.jobs import enqueue
from deployments.models import Clearance
from deployments.services import ensure_endpoint, grant_clearance, start_deployment

Status = PromotionRequest.Status


def is_sealed(promotion: PromotionRequest) -> bool:
    """Whether the ledger has sealed every counting signature."""
    wanted = Decision.objects.counting().filter(promotion=promotion).values_list("event_id", flat=True)
    return all(tree.is_sealed(key) for key in wanted)


@command
def execute(*, actor: Actor, promotion: PromotionRequest) -> PromotionRequest:
    """Clear and start the deployment, or send the request back with the reason."""
    row = locked_request(promotion)
    if row.status != Status.QUEUED or row.deployment_id is not None:
        return row
    problem = _what_changed(row)
    if problem:
        row.move_to(Status.PENDING)
        void_approvals(actor, row, problem)
        record(actor=actor, action="approvals.sent_back", target=row, reason=problem, outcome="failed")
        PromotionRequest.objects.filter(pk=row.pk).update(failure=problem[:1000])
        apply_current_policy(actor, row)
        enqueue(JUDGE, subject=row, model=row.version.model)
        return row
    clearance = grant_clearance(
        actor=actor,
        version=row.version,
        environment=row.environment,
        kind=Clearance.Kind.APPROVAL,
        evidence_sha256=row.evidence_sha256,
        reference=str(row.pk),
        reason=f"Approved request {row.pk}",
    )
    endpoint = ensure_endpoint(actor=actor, model=row.version.model, environment=row.environment)
    deployment = start_deployment(
        actor=actor,
        endpoint=endpoint,
        version=row.version,
        clearance=clearance,
        rollout=row.policy_revision.rules.rollout,
        reason=row.why[:2000],
    )
    PromotionRequest.objects.filter(pk=row.pk).update(clearance=clearance, deployment=deployment)
    record(actor=actor, action="approvals.executed", target=row, after={"deployment": str(deployment.pk)})
    return row


@command
def start_waiting(*, actor: Actor, promotion: PromotionRequest) -> PromotionRequest:
    """Release an approved request that its policy lets wait."""
    if not (
        holds(actor, "deploy", promotion.version.model) or holds(actor, "propose", promotion.version.model)
    ):
        raise NotAllowed(f"You may not start the deployment of {promotion.version}.")
    row = locked_request(promotion)
    if row.status != Status.APPROVED:
        raise Conflict(f"The request is {row.word.lower()}, so there is nothing to start.")
    release(actor, row)
    record(actor=actor, action="approvals.started", target=row)
    return row


@command
def retry(*, actor: Actor, promotion: PromotionRequest) -> PromotionRequest:
    """Try a failed deployment again: the same bytes, and everything is checked again."""
    if not (
        holds(actor, "deploy", promotion.version.model) or holds(actor, "propose", promotion.version.model)
    ):
        raise NotAllowed(f"You may not start the deployment of {promotion.version}.")
    row = locked_request(promotion)
    others = PromotionRequest.objects.under_way().filter(
        version=row.version_id, environment=row.environment_id
    )
    if others.exists():
        raise Conflict("A newer request for this version is under way.", code="request_open")
    row.move_to(Status.QUEUED, failure="", deployment=None, clearance=None)
    enqueue(EXECUTE, subject=row, actor=actor, model=row.version.model)
    record(actor=actor, action="approvals.retried", target=row)
    return row


@command
def note_outcome(
    *, actor: Actor, promotion: PromotionRequest, status: str, reason: str = ""
) -> PromotionRequest:
    """What became of the deployment; a repeated message changes nothing."""
    row = locked_request(promotion)
    if row.status == status or status not in row.TRANSITIONS.get(row.status, set()):
        return row
    row.move_to(status, failure=reason[:1000])
    record(actor=actor, action=f"approvals.{status}", target=row, reason=reason)
    return row


def _what_changed(row: PromotionRequest) -> str:
    """Why the approvals no longer carry the deployment, or nothing."""
    if row.expires_at < timezone.now():
        return "The approval has expired."
    current = row.policy_revision.policy.current()
    if current is None or current.pk != row.policy_revision_id:
        return f"The policy {row.policy_revision.policy} has changed."
    if row.version.digest != row.digest or not row.version.is_intact or row.version.deleted_at is not None:
        return "The version's files are not those that were approved."
    gaps = lacking(row)
    if gaps:
        return "An approver no longer counts; missing: " + ", ".join(
            f"{count} {role}" for role, count in gaps.items()
        )
    blocked = blocking_gates(row)
    if blocked:
        return f"Gates fail now: {', '.join(blocked)}."
    _, document, digest = fresh_evidence(row)
    if digest != row.evidence_sha256:
        return "The evidence changed: " + "; ".join(changed_lines(row.evidence, document)[:5])
    return ""


__all__ = ["execute", "is_sealed", "judge_gates", "note_outcome", "start_waiting"]
