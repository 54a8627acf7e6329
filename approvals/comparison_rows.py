"""Lines of the review page's tables: champion, candidate, and whether their difference is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from approvals.gates import LOWER_IS_BETTER, NAMES, signed
from approvals.models import PromotionRequest
from registry.evaluations.models import Evaluation

SPANS = {"roc_auc": 0.02, "pr_auc": 0.02, "brier": 0.01, "log_loss": 0.02}


@dataclass(frozen=True)
class Row:
    """A line of the comparison tables. ``low`` and ``high`` bound candidate minus champion."""

    name: str
    note: str
    champion: float | None
    candidate: float | None
    difference: float | None
    low: float | None
    high: float | None
    tone: str
    icon: str
    verdict: str
    span: float = 0.02
    limit: float | None = None
    rows: int = 0

    @property
    def interval(self) -> str:
        return f"{signed(self.low)} to {signed(self.high)}" if self.low is not None else "inconclusive"


def metric_rows(promotion: PromotionRequest, evaluation: Evaluation | None) -> list[Row]:
    """One row per metric with the limit of its gate, if a gate has one."""
    if evaluation is None:
        return []
    limits = {
        gate["metric"]: gate["min_difference"]
        for gate in promotion.policy_revision.rules.gates
        if gate["type"] == "metric" and "min_difference" in gate
    }
    found = []
    for name, by in evaluation.comparison.get("metrics", {}).items():
        note = "lower is better" if name in LOWER_IS_BETTER else "higher is better"
        found.append(
            _row(
                NAMES.get(name, name),
                note,
                by,
                name in LOWER_IS_BETTER,
                SPANS.get(name, 0.02),
                limits.get(name),
            )
        )
    return found


def slice_rows(evaluation: Evaluation | None) -> list[Row]:
    """Slices, weakest first."""
    if evaluation is None:
        return []
    return [
        _row(each["value"], each["column"], each, False, 0.06, None, each["rows"])
        for each in evaluation.said_slices
    ]


def _row(
    name: str, note: str, by: dict[str, Any], lower: bool, span: float, limit: float | None, rows: int = 0
) -> Row:
    difference = by.get("difference") or {}
    champion = (by.get("champion") or {}).get("estimate")
    tone, icon, verdict = _verdict(difference, lower)
    return Row(
        name,
        note,
        champion,
        by["candidate"]["estimate"],
        difference.get("estimate"),
        difference.get("low"),
        difference.get("high"),
        tone,
        icon,
        verdict,
        span,
        limit,
        rows,
    )


def _verdict(difference: dict[str, Any], lower: bool) -> tuple[str, str, str]:
    """Tone, icon and word: only an interval that leaves zero out is better or worse."""
    if not difference:
        return "n", "minus", "No champion"
    low, high = difference.get("low"), difference.get("high")
    if low is None or high is None:
        return "warn", "circle-help", "Inconclusive"
    if lower:
        low, high = -high, -low
    if low > 0:
        return "ok", "circle-check", "Better"
    if high < 0:
        return "bad", "triangle-alert", "Worse"
    return "n", "minus", "No difference"
