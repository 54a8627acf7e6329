"""What of a request's evidence its reader may be told: nothing that data hidden from them says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from approvals.models import GateResult, PromotionRequest
from registry.data_facts import UNSEEN_DATA

RESTS_ON_ROWS = frozenset({"data_contract", "slice"})
FAILED_ON_ROWS = "the evaluation failed"
UNTOLD = f"not told: it rests on {UNSEEN_DATA}"


def gates_for(found: Iterable[GateResult], *, is_data_seen: bool) -> list[GateResult]:
    """Their outcome is for everybody who sees the request; what was observed may name data and its values."""
    gates = list(found)
    if not is_data_seen:
        for gate in gates:
            if gate.type in RESTS_ON_ROWS or FAILED_ON_ROWS in gate.observed:
                gate.observed = UNTOLD
    return gates


def evidence_for(promotion: PromotionRequest, *, is_data_seen: bool) -> dict[str, Any]:
    """What a signature covers, as it is to who may see all data; to others without what names or quotes it."""
    evidence: dict[str, Any] = promotion.evidence
    if is_data_seen or not evidence:
        return evidence
    found = GateResult.objects.filter(promotion=promotion, rev=promotion.rev)
    observed = {gate.gate: gate.observed for gate in gates_for(found, is_data_seen=False)}
    gates = {
        name: {**judged, "observed": observed.get(name, UNTOLD)}
        for name, judged in evidence.get("gates", {}).items()
    }
    return {**evidence, "data": UNSEEN_DATA, "gates": gates}


def contracts_for(states: list[dict[str, Any]], visible: Iterable[Any]) -> list[dict[str, Any]]:
    """States of data contracts, by name of the data where it may be seen."""
    known = set(visible)
    return [each if each["id"] in known else {**each, "name": UNSEEN_DATA} for each in states]
