"""Evaluating an open request again: what failed, and what has changed since it was judged."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from approvals import rights
from approvals.locks import locked_request
from approvals.models import PromotionRequest
from approvals.services.judging import changed_lines, fresh_evidence
from approvals.services.requests import JUDGE, champion_in, gather
from audit.services import command, record
from core.actors import Actor, need_of
from core.errors import Conflict, NotAllowed
from core.jobs.models import Job
from registry.evaluations.models import Evaluation
from registry.models import ModelVersion

# Between the end of an evaluation and the job that judges it a worker delivers the event.
DELIVERY = timedelta(minutes=1)
MOST_LINES = 5


@command(refusals=(NotAllowed, Conflict))
def evaluate_again(*, actor: Actor, promotion: PromotionRequest) -> PromotionRequest:
    """Evaluate against what is live now, and judge the gates; work that waits or runs is enough.

    The installation asks for the evaluation, as it did when the request was opened: a reviewer
    has no right to evaluate whatever they like, and becomes no contributor by this.
    """
    if not rights.may_evaluate_again(actor, promotion):
        need = need_of(actor, "propose")
        raise NotAllowed(f"You may not have this request evaluated again; {need}, or to approve.")
    row = locked_request(promotion)
    if row.status not in row.OPEN:
        raise Conflict(f"The request is {row.word.lower()}, so it is not evaluated again.", code="not_open")
    if is_being_judged(row):
        return row
    reasons = reasons_to_evaluate_again(row)
    if not reasons:
        raise Conflict(
            "The evidence is as it was when it was judged: evaluating it again would find the same.",
            code="evidence_unchanged",
        )
    before = row.champion
    if (live := _newer_champion(row)) is not None:
        PromotionRequest.objects.filter(pk=row.pk).update(champion=live)
        row.champion = live
    after = {"champion": row.champion.number if row.champion else None, "why": reasons}
    record(
        actor=actor,
        action="approvals.evaluation_requested",
        target=row,
        before={"champion": before.number if before else None},
        after=after,
        policy=row.as_policy(),
    )
    gather(actor, row)
    row.refresh_from_db(fields=["evaluation"])
    return row


def is_being_judged(promotion: PromotionRequest) -> bool:
    """Whether the gates will be judged anyway: by what waits or runs, or once the event of its end is heard."""
    evaluation = promotion.evaluation
    if evaluation is not None and not evaluation.is_over:
        return True
    if Job.objects.about(promotion).filter(kind=JUDGE).open().exists():
        return True
    return evaluation is not None and _was_heard_of_by_nobody(promotion, evaluation)


def reasons_to_evaluate_again(promotion: PromotionRequest) -> list[str]:
    """In sentences, what a new evaluation of an open request would answer; nothing while it stands as judged."""
    reasons = []
    if promotion.evaluation is not None and promotion.evaluation.status == Evaluation.Status.FAILED:
        reasons.append("The evaluation failed.")
    if (live := _newer_champion(promotion)) is not None:
        former = f"v{promotion.champion.number}" if promotion.champion else "nothing"
        reasons.append(
            f"v{live.number} is live in {promotion.environment} by now; it was compared with {former}."
        )
    if not promotion.is_judged:
        reasons.append("Its gates were not judged.")
    elif changes := _changes(promotion):
        reasons.append(f"Since it was judged the evidence has changed. {'; '.join(changes)}.")
    return reasons


def _changes(promotion: PromotionRequest) -> list[str]:
    """What is otherwise now; of gates in their own words, with what they saw when they were judged."""
    results, document, digest = fresh_evidence(promotion)
    if digest == promotion.evidence_sha256:
        return []
    judged = promotion.evidence.get("gates", {})
    gates = [
        f"{each.title}: {each.observed} (was: {judged.get(each.id, {}).get('observed', 'not judged')})"
        for each in results
        if judged.get(each.id) != document["gates"][each.id]
    ]
    others = changed_lines({**promotion.evidence, "gates": None}, {**document, "gates": None})
    return [*gates, *others][:MOST_LINES]


def _newer_champion(promotion: PromotionRequest) -> ModelVersion | None:
    """What went live since, if it is neither what was compared nor what is asked for."""
    live = champion_in(promotion.version, promotion.environment)
    known = {promotion.champion_id, promotion.version_id}
    return live if live is not None and live.pk not in known else None


def _was_heard_of_by_nobody(promotion: PromotionRequest, evaluation: Evaluation) -> bool:
    ended, judged = evaluation.finished_at, promotion.gates_judged_at
    if ended is None or ended < timezone.now() - DELIVERY:
        return False
    return judged is None or judged < ended
