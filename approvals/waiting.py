"""What waits for a person: requests to sign, and own requests that nobody can approve."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q, QuerySet

from approvals import rights
from approvals.models import PromotionRequest
from core.actors import Actor
from registry.evaluations.models import Evaluation


def waiting_for_signature(actor: Actor) -> list[PromotionRequest]:
    """Judged requests on which the actor may decide and has not; what expires first is first."""
    if "approve" not in actor.rights:
        return []
    pending = PromotionRequest.objects.visible_to(actor).pending().filter(gates_judged_at__isnull=False)
    undecided = pending.exclude(decisions__person=actor.person_id, decisions__voided_at__isnull=True)
    related = (
        undecided.in_lists().select_related("version__created_by").defer("evidence", "version__manifest")
    )
    return [each for each in related.order_by("expires_at")[:50] if rights.may_decide(actor, each)]


def requests_waiting(actor: Actor) -> int:
    """The sidebar's count."""
    return len(waiting_for_signature(actor))


def pending_counts(actor: Actor) -> dict[str, int]:
    """Of the requests nobody has decided: ``waiting`` for signatures, ``forbidden`` by gates, ``judging``."""
    rows = PromotionRequest.objects.visible_to(actor).pending().with_gates()
    is_idle = Q(evaluation__isnull=True) | Q(evaluation__status__in=Evaluation.OVER)
    is_judged = Q(gates_judged_at__isnull=False) & is_idle
    return rows.aggregate(
        waiting=Count("pk", filter=is_judged & Q(gates_fail=False)),
        forbidden=Count("pk", filter=is_judged & Q(gates_fail=True)),
        judging=Count("pk", filter=~is_judged),
    )


def blocked_requests(actor: Actor) -> QuerySet[PromotionRequest, Any]:
    """Own requests that wait for nobody but their author: gates forbid approval."""
    rows = PromotionRequest.objects.visible_to(actor).pending().filter(requested_by=actor.account_id)
    return rows.with_gates().filter(gates_fail=True)


def requests_blocked(actor: Actor) -> int:
    """Their number, for the sidebar."""
    return blocked_requests(actor).count()
