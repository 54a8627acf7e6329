"""What happened to a promotion request, told from the ledger."""

from __future__ import annotations

from typing import Any

from approvals.models import PromotionRequest
from audit.models import Event, EventQuerySet

ACTION_WORDS = {
    "approvals.requested": ("rocket", "opened this request"),
    "approvals.gates_judged": ("scale", "judged the gates"),
    "approvals.evaluation_requested": ("refresh-cw", "had it evaluated again"),
    "approvals.approved": ("badge-check", "approved"),
    "approvals.rejected": ("circle-x", "rejected"),
    "approvals.quorum_met": ("check", "saw the quorum met"),
    "approvals.approvals_voided": ("triangle-alert", "voided approvals"),
    "approvals.sent_back": ("undo-2", "sent it back"),
    "approvals.executed": ("rocket", "started the deployment"),
    "approvals.deployed": ("circle-check", "reported it live"),
    "approvals.failed": ("circle-x", "reported a failed deployment"),
    "approvals.rolled_back": ("undo-2", "reported a rollback"),
    "approvals.superseded": ("layers", "reported that another version replaced it"),
    "approvals.withdrawn": ("x", "withdrew it"),
    "approvals.expired": ("hourglass", "closed it as expired"),
}
# How a request ends without a release -> the event that says so.
CLOSED_BY = {
    PromotionRequest.Status.REJECTED: "approvals.rejected",
    PromotionRequest.Status.CANCELLED: "approvals.withdrawn",
    PromotionRequest.Status.EXPIRED: "approvals.expired",
}
MOST = 200


def history(promotion: PromotionRequest) -> list[dict[str, Any]]:
    """The newest events of the request from the ledger, oldest first; people's decisions stand out."""
    newest = _events(promotion).order_by("-id")[:MOST]
    return [_line(event) for event in reversed(newest) if event.fields.get("outcome") != "denied"]


def ending_of(promotion: PromotionRequest) -> dict[str, Any] | None:
    """Who closed it without a release, when and why."""
    if promotion.status not in CLOSED_BY:
        return None
    event = _events(promotion).acting(CLOSED_BY[promotion.status]).order_by("-id").first()
    return _line(event) if event is not None else None


def _events(promotion: PromotionRequest) -> EventQuerySet:
    return Event.objects.about("approvals.promotionrequest", str(promotion.pk))


def _line(event: Event) -> dict[str, Any]:
    fields = event.fields
    icon, words = ACTION_WORDS.get(fields["action"], ("circle-dot", fields["action"]))
    return {
        "icon": icon,
        "who": fields["actor"].get("name") or "system",
        "words": words,
        "at": event.recorded_at,
        "reason": fields.get("reason", ""),
        "after": fields.get("after") or {},
        "is_decision": fields["action"] in {"approvals.approved", "approvals.rejected"},
        "is_approval": fields["action"] == "approvals.approved",
    }
