"""What waits for a person: requests to sign, and own requests that nobody can approve."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from approvals import rights
from approvals.gates import FAILED
from approvals.models import GateResult, PromotionRequest
from core.actors import Actor


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
    fails = GateResult.objects.filter(promotion=OuterRef("pk"), rev=OuterRef("rev"), outcome=FAILED)
    rows = PromotionRequest.objects.visible_to(actor).pending().annotate(is_forbidden=Exists(fails))
    is_judged = Q(gates_judged_at__isnull=False)
    return rows.aggregate(
        waiting=Count("pk", filter=is_judged & Q(is_forbidden=False)),
        forbidden=Count("pk", filter=is_judged & Q(is_forbidden=True)),
        judging=Count("pk", filter=~is_judged),
    )


def blocked_requests(actor: Actor) -> QuerySet[PromotionRequest, Any]:
    """Own requests that wait for nobody but their author: gates forbid approval (``failing`` of them)."""
    rows = PromotionRequest.objects.visible_to(actor).pending().filter(requested_by=actor.account_id)
    fails = Q(gate_results__outcome=FAILED, gate_results__rev=F("rev"))
    return rows.annotate(failing=Count("gate_results", filter=fails)).filter(failing__gt=0)


def requests_blocked(actor: Actor) -> int:
    """Their number, for the sidebar."""
    return blocked_requests(actor).count()
