"""Every change to approvals starts here, whoever asks."""

from approvals.services.approving import approve
from approvals.services.deciding import APPROVING, REJECTING, lacking, reject
from approvals.services.evaluating import (
    evaluate_again,
    is_being_judged,
    reasons_to_evaluate_again,
)
from approvals.services.executing import execute, is_sealed, note_outcome, retry, start_waiting
from approvals.services.judging import judge_gates, void_approvals_by
from approvals.services.policies import add_revision
from approvals.services.requests import (
    champion_in,
    edit_request,
    expire,
    policy_for,
    request_promotion,
    withdraw,
)

__all__ = [
    "APPROVING",
    "REJECTING",
    "add_revision",
    "approve",
    "champion_in",
    "edit_request",
    "evaluate_again",
    "execute",
    "expire",
    "is_being_judged",
    "is_sealed",
    "judge_gates",
    "lacking",
    "note_outcome",
    "policy_for",
    "reasons_to_evaluate_again",
    "reject",
    "request_promotion",
    "retry",
    "start_waiting",
    "void_approvals_by",
    "withdraw",
]
