"""What differences with their intervals mean, in words."""

from __future__ import annotations

from typing import Any

from registry.evaluations.models import Evaluation

# Metric to its words and whether more is better.
METRICS = {
    "roc_auc": ("ROC AUC", True),
    "pr_auc": ("PR AUC", True),
    "brier": ("Brier score", False),
    "log_loss": ("Log loss", False),
}
Row = dict[str, Any]


def metric_rows(evaluation: Evaluation) -> list[Row]:
    """One row per metric with both versions, the difference and a verdict."""
    found = evaluation.comparison.get("metrics", {})
    return [_row(words, up, found[name]) for name, (words, up) in METRICS.items() if name in found]


def slice_rows(evaluation: Evaluation) -> list[Row]:
    """One row per slice, weakest first, on ROC AUC."""
    return [
        {**_row(f"{each['column']} {each['value']}", True, each), "rows": each["rows"]}
        for each in evaluation.said_slices
    ]


def _row(words: str, more_is_better: bool, by: dict[str, Any]) -> Row:
    difference = by.get("difference") or {}
    verdict, tone, icon = _verdict(difference, more_is_better)
    return {
        "words": words,
        "direction": "higher is better" if more_is_better else "lower is better",
        "candidate": by["candidate"]["estimate"],
        "champion": (by.get("champion") or {}).get("estimate"),
        "difference": difference.get("estimate"),
        "low": difference.get("low"),
        "high": difference.get("high"),
        "reason": difference.get("reason", ""),
        "verdict": verdict,
        "tone": tone,
        "look": f"t-{tone}" if tone != "n" else "t2",
        "icon": icon,
    }


def _verdict(difference: dict[str, Any], more_is_better: bool) -> tuple[str, str, str]:
    low, high = difference.get("low"), difference.get("high")
    if difference.get("estimate") is None:
        return "Nothing to compare", "n", "minus"
    if low is None or high is None:
        return "Inconclusive", "n", "circle-help"
    if low > 0 or high < 0:
        is_better = (low > 0) == more_is_better
        return ("Better", "ok", "circle-check") if is_better else ("Worse", "bad", "circle-x")
    return "No difference", "n", "minus"
