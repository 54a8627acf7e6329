"""What happened to a promotion request, told from the ledger."""

from __future__ import annotations

from typing import Any

from approvals.models import PromotionRequest
from audit.models import Event

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


def history(promotion: PromotionRequest) -> list[dict[str, Any]]:
    """Every event of the request from the ledger, oldest first; people's decisions stand out."""
    events = Event.objects.about("approvals.promotionrequest", str(promotion.pk)).order_by("id")[:200]
    lines = []
    for event in events:
        fields = event.fields
        if fields.get("outcome") == "denied":
            continue
        icon, words = ACTION_WORDS.get(fields["action"], ("circle-dot", fields["action"]))
        lines.append(
            {
                "icon": icon,
                "who": fields["actor"].get("name") or "system",
                "words": words,
                "at": event.recorded_at,
                "reason": fields.get("reason", ""),
                "after": fields.get("after") or {},
                "is_decision": fields["action"] in {"approvals.approved", "approvals.rejected"},
                "is_approval": fields["action"] == "approvals.approved",
            }
        )
    return lines
