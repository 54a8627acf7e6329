"""Signing: a person's word on exactly the evidence they saw."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models.functions import Now

from accounts.confirming import require_password
from accounts.models import Account
from approvals import rights
from approvals.locks import locked_request
from approvals.models import Decision, GateResult, PromotionRequest
from approvals.quorum import missing
from approvals.services.judging import changed_lines, fresh_evidence
from audit.services import command, record
from core.actors import Actor
from core.canonical import canonical_json, sha256_hex
from core.errors import Conflict, NotAllowed, PreconditionFailed
from core.jobs import enqueue
from core.text import checked_text

EXECUTE = "approvals.execute"
APPROVING = "I reviewed the evidence and approve this release"
REJECTING = "I reviewed the evidence and reject this release"
# An attempt that comes too late or at the wrong revision may be an attempt to cheat: it is kept.
REFUSALS = (NotAllowed, Conflict, PreconditionFailed)
Status = PromotionRequest.Status


class EvidenceChanged(PreconditionFailed):
    """What is signed would not be what is so: nobody has judged the change yet."""

    code = "evidence_changed"


@command(refusals=REFUSALS)
def approve(
    *,
    actor: Actor,
    promotion: PromotionRequest,
    reason: str,
    revision: int,
    password: str,
    meaning: str = APPROVING,
) -> PromotionRequest:
    row = locked_request(promotion)
    known = Decision.objects.counting().filter(promotion=row, person=actor.person_id).first()
    if known is not None and known.rev == row.rev:
        _require_signer(actor, row, password)
        return row
    decision = _decide(actor, row, Decision.Verdict.APPROVE, reason, revision, password, meaning)
    record_decision(actor, row, decision, "approvals.approved")
    if not lacking(row):
        row.move_to(Status.APPROVED, expected_rev=revision, decided_at=Now())
        record(actor=Actor.system(), action="approvals.quorum_met", target=row, policy=row.as_policy())
        if row.policy_revision.rules.deploys_on_approval:
            release(actor, row)
    return row


@command(refusals=REFUSALS)
def reject(
    *,
    actor: Actor,
    promotion: PromotionRequest,
    reason: str,
    revision: int,
    password: str,
    meaning: str = REJECTING,
) -> PromotionRequest:
    """Close the request for good."""
    row = locked_request(promotion)
    decision = _decide(actor, row, Decision.Verdict.REJECT, reason, revision, password, meaning)
    row.move_to(Status.REJECTED, expected_rev=revision, decided_at=Now())
    record_decision(actor, row, decision, "approvals.rejected")
    return row


def release(actor: Actor, promotion: PromotionRequest) -> None:
    """Hand an approved request to a worker, which checks everything again."""
    promotion.move_to(Status.QUEUED)
    enqueue(EXECUTE, subject=promotion, actor=actor, model=promotion.version.model)


def lacking(promotion: PromotionRequest) -> dict[str, int]:
    """What the quorum still lacks, by role, counting people who hold their roles now."""
    people: dict[object, set[str]] = {}
    excluded = rights.contributors(promotion)
    counting = Decision.objects.counting().filter(promotion=promotion, rev=promotion.rev).select_related("by")
    for decision in counting:
        if decision.by.is_active and decision.person_id not in excluded:
            people.setdefault(decision.person_id, set()).update(
                decision.by.groups.values_list("name", flat=True)
            )
    return missing(promotion.policy_revision.rules.quorum, people)


def contributors_named(promotion: PromotionRequest) -> list[str]:
    """Who may not decide, for the ledger: the offline verifier compares approvers with it."""
    return sorted(str(person) for person in rights.contributors(promotion))


def blocking_gates(promotion: PromotionRequest) -> list[str]:
    """Titles of the gates that forbid the promotion at its current revision."""
    failed = GateResult.objects.forbidding(promotion, promotion.rev)
    return list(failed.values_list("title", flat=True))


def _decide(
    actor: Actor, row: PromotionRequest, verdict: str, reason: str, revision: int, password: str, meaning: str
) -> Decision:
    _require_signer(actor, row, password)
    reason = checked_text(reason, "reason", 5000, min_length=3, multiline=True)
    meaning = checked_text(meaning, "meaning", 200, min_length=3)
    if row.status != Status.PENDING:
        raise Conflict(f"The request is {row.word.lower()}; it takes no decision.", code="not_pending")
    if revision != row.rev:
        raise PreconditionFailed(
            f"You saw revision {revision}; the request is at revision {row.rev} now. Read it again.",
            extra={"seen": revision, "current": row.rev},
        )
    if row.is_evaluating:
        raise Conflict(
            "The evidence is still being gathered; decide when the gates are judged.", code="evidence_running"
        )
    blocked = blocking_gates(row)
    if verdict == Decision.Verdict.APPROVE and blocked:
        raise Conflict(f"The policy forbids it: {', '.join(blocked)}.", code="gate_failed")
    if Decision.objects.filter(promotion=row, person=actor.person_id, voided_at__isnull=True).exists():
        raise Conflict("You have decided on this request already.", code="decided_already")
    if verdict == Decision.Verdict.APPROVE:
        _require_evidence_as_judged(row)
    return _signed(actor, row, verdict, reason, meaning)


def _require_evidence_as_judged(row: PromotionRequest) -> None:
    _, document, digest = fresh_evidence(row)
    if digest != row.evidence_sha256:
        changes = "; ".join(changed_lines(row.evidence, document)[:3])
        raise EvidenceChanged(
            f"The evidence has changed since it was judged ({changes}). It is judged again now; look at it then."
        )


def _require_signer(actor: Actor, row: PromotionRequest, password: str) -> None:
    refusal = rights.why_not_decide(actor, row)
    if refusal is not None:
        raise NotAllowed(refusal[1], code=refusal[0])
    require_password(actor, password)


def _signed(actor: Actor, row: PromotionRequest, verdict: str, reason: str, meaning: str) -> Decision:
    account = Account.objects.get(pk=str(actor.account_id))
    statement = canonical_json(
        {
            "request": str(row.pk),
            "model": row.version.model.name,
            "version": row.version.number,
            "digest": row.digest,
            "environment": row.environment.name,
            "revision": row.rev,
            "evidence_sha256": row.evidence_sha256,
            "policy": row.as_policy(),
            "decision": verdict,
            "reason": reason,
            "meaning": meaning,
            "person": str(account.person_id),
            "account": account.username,
            "signed_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        }
    )
    roles = rights.roles_for(actor, row)
    needed = lacking(row)
    role = next((each for each in roles if each in needed), roles[0])
    return Decision(
        promotion=row,
        by=account,
        person_id=account.person_id,
        requested_by_person_id=row.requested_by.person_id,
        role=role,
        verdict=verdict,
        rev=row.rev,
        evidence_sha256=row.evidence_sha256,
        reason=reason,
        meaning=meaning,
        statement=statement,
        signature_sha256=sha256_hex(statement),
    )


def record_decision(actor: Actor, row: PromotionRequest, decision: Decision, action: str) -> None:
    """The ledger holds the signature; the row points at its event."""
    after = {
        "digest": row.digest,
        "environment": row.environment.name,
        "version": row.version.number,
        "revision": row.rev,
        "role": decision.role,
        "roles": rights.roles_for(actor, row),
        "evidence_sha256": decision.evidence_sha256,
        "signature_sha256": decision.signature_sha256,
        "requester": str(row.requested_by.person_id),
        "contributors": contributors_named(row),
    }
    decision.event_id = record(
        actor=actor,
        action=action,
        target=row,
        after=after,
        reason=decision.reason,
        meaning=decision.meaning,
        policy=row.as_policy(),
    )
    decision.save(force_insert=True)
