"""Gates: judged again whenever the evidence may have changed; a change voids what was signed."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from accounts.models import Account
from approvals.evidence import as_document, gathered
from approvals.gates import Result, judge
from approvals.locks import locked_request
from approvals.models import Decision, GateResult, PromotionRequest
from audit.services import command, record
from core.actors import Actor
from core.canonical import canonical_json, sha256_hex
from core.errors import NotAllowed

Status = PromotionRequest.Status


def fresh_evidence(row: PromotionRequest) -> tuple[list[Result], dict[str, Any], str]:
    """Every gate's result, the document a signature covers, and its SHA-256, as they are now."""
    results = judge(row.policy_revision.rules.gates, gathered(row))
    document = as_document(row, [result.as_record() for result in results])
    return results, document, sha256_hex(canonical_json(document))


@command
def judge_gates(*, actor: Actor, promotion: PromotionRequest) -> PromotionRequest:
    """Gather the evidence, judge every gate, and void approvals given on other evidence."""
    row = locked_request(promotion)
    if row.status not in row.OPEN:
        return row
    results, document, digest = fresh_evidence(row)
    if digest == row.evidence_sha256:
        PromotionRequest.objects.filter(pk=row.pk).update(gates_judged_at=Now())
        return row
    changes = changed_lines(row.evidence, document) if row.is_judged else []
    if changes:
        void_approvals(actor, row, "The evidence changed: " + "; ".join(changes[:5]))
    PromotionRequest.objects.filter(pk=row.pk).update(
        evidence=document,
        evidence_sha256=digest,
        gates_judged_at=Now(),
        rev=F("rev") + (1 if row.is_judged else 0),
    )
    row.refresh_from_db(fields=["evidence", "evidence_sha256", "gates_judged_at", "rev"])
    GateResult.objects.bulk_create(
        GateResult(
            promotion=row, rev=row.rev, gate=each.id, type=each.type, mode=each.mode, outcome=each.outcome,
            title=each.title, rule=each.rule, observed=each.observed,
        )
        for each in results
    )  # fmt: skip
    counts = {word: sum(each.outcome == word for each in results) for word in ("passed", "warned", "failed")}
    record(
        actor=actor,
        action="approvals.gates_judged",
        target=row,
        after={**counts, "evidence_sha256": digest, "changes": changes},
        policy=row.as_policy(),
    )
    return row


def void_approvals(actor: Actor, promotion: PromotionRequest, why: str) -> int:
    """What was signed no longer counts; an approved request needs review again."""
    counting = list(Decision.objects.counting().filter(promotion=promotion).select_related("by"))
    if promotion.status == Status.APPROVED:
        promotion.move_to(Status.PENDING)
    if not counting:
        return 0
    Decision.objects.filter(pk__in=[each.pk for each in counting]).update(
        voided_at=Now(), void_reason=why[:1000]
    )
    after = {
        "voided": [each.by.username for each in counting],
        "people": [str(each.person_id) for each in counting],
    }
    record(actor=actor, action="approvals.approvals_voided", target=promotion, after=after, reason=why)
    return len(counting)


@command
def void_approvals_by(*, actor: Actor, account: Account, why: str) -> int:
    """What one account signed on open requests counts no more, also if it is let in again."""
    if not actor.is_system:
        raise NotAllowed("Only the installation voids what somebody else signed.")
    signed = Decision.objects.counting().filter(by=account, promotion__status__in=PromotionRequest.OPEN)
    voided = 0
    for decision in signed.select_related("promotion").order_by("promotion_id"):
        row = locked_request(decision.promotion)
        if row.status not in row.OPEN:
            continue
        voided += Decision.objects.counting().filter(pk=decision.pk).update(voided_at=Now(), void_reason=why)
        if row.status == Status.APPROVED:
            row.move_to(Status.PENDING)
        after = {"voided": [account.username], "people": [str(account.person_id)]}
        record(actor=actor, action="approvals.approvals_voided", target=row, after=after, reason=why)
    return voided


def changed_lines(before: Any, after: Any, path: str = "") -> list[str]:
    """Each place at which two documents differ, as ``gates.auc_floor.observed: 0.6800 to 0.6790``."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            line
            for name in sorted({*before, *after})
            for line in changed_lines(before.get(name), after.get(name), f"{path}.{name}".lstrip("."))
        ]
    return [] if before == after else [f"{path}: {_short(before)} to {_short(after)}"]


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}…"
