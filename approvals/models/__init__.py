"""Policies, promotion requests, gate results and decisions."""

from approvals.models.decisions import Decision
from approvals.models.policies import Policy, PolicyRevision
from approvals.models.requests import GATES_FAIL, GateResult, PromotionRequest

__all__ = ["GATES_FAIL", "Decision", "GateResult", "Policy", "PolicyRevision", "PromotionRequest"]
