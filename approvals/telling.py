"""What of a request's evidence its reader may be told: nothing that data hidden from them says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from approvals.models import GateResult
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


def contracts_for(states: list[dict[str, Any]], visible: Iterable[Any]) -> list[dict[str, Any]]:
    """States of data contracts, by name of the data where it may be seen."""
    known = set(visible)
    return [each if each["id"] in known else {**each, "name": UNSEEN_DATA} for each in states]
