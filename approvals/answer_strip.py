"""The answer above the review page: quality, weakest slice, gates, latency and cost in five cells."""

from __future__ import annotations

from approvals.comparison_rows import Row
from approvals.evidence import cost_forecast, why_unevaluated
from approvals.gates import LEAKED, MINUS, signed
from approvals.models import GateResult, PromotionRequest
from core.money import money
from registry.evaluations.models import Evaluation

BAD, UNKNOWN = ("t-bad", "circle-x"), ("t3", "circle-dashed")


def strip(
    promotion: PromotionRequest,
    evaluation: Evaluation | None,
    metrics: list[Row],
    slices: list[Row],
    gates: list[GateResult],
    *,
    is_leaked: bool = False,
) -> list[dict[str, str]]:
    """Quality, weakest slice, gates, latency, cost: the answer in five cells."""
    return [
        _quality(promotion, metrics, is_leaked),
        _weakest(promotion, slices),
        _gate_cell(promotion, gates),
        _latency(promotion, evaluation),
        _cost(evaluation),
    ]


def _cell(name: str, anchor: str, value: str, unit: str, note: str, tone: str, icon: str) -> dict[str, str]:
    return {
        "name": name,
        "anchor": anchor,
        "value": value,
        "unit": unit,
        "note": note,
        "tone": tone,
        "icon": icon,
    }


def _quality(promotion: PromotionRequest, metrics: list[Row], is_leaked: bool) -> dict[str, str]:
    auc = next((row for row in metrics if row.name == "ROC AUC"), None)
    if auc is None or auc.candidate is None:
        note, unknown = _unevaluated(promotion, "the evaluation has no result yet")
        return _cell("Quality", "metrics", "not known", "", note, *unknown)
    if is_leaked:
        return _cell("Quality", "metrics", f"{auc.candidate:.4f}", "ROC AUC", LEAKED, *BAD)
    if auc.difference is None:
        return _cell(
            "Quality",
            "metrics",
            f"{auc.candidate:.4f}",
            "ROC AUC",
            "first release: nothing to compare with",
            "t3",
            "info",
        )
    look = {
        "ok": ("t-ok", "circle-check"),
        "bad": ("t-bad", "circle-x"),
        "warn": ("t-warn", "triangle-alert"),
    }
    tone, icon = look.get(auc.tone, ("t3", "minus"))
    return _cell(
        "Quality", "metrics", signed(auc.difference), "ROC AUC", f"95 % interval {auc.interval}", tone, icon
    )


def _unevaluated(promotion: PromotionRequest, waiting: str) -> tuple[str, tuple[str, str]]:
    """Why there is no figure, and how that looks: one that failed is not waited for."""
    found = promotion.evaluation
    if found is not None and found.status == Evaluation.Status.FAILED:
        return "the evaluation failed", BAD
    if found is not None and not found.is_over:
        return "the evaluation has no result yet", UNKNOWN
    return (why_unevaluated(None) if found is None else waiting), UNKNOWN


def _weakest(promotion: PromotionRequest, slices: list[Row]) -> dict[str, str]:
    compared = [row for row in slices if row.difference is not None]
    if not slices:
        note, look = _unevaluated(promotion, "no slice has enough rows")
        return _cell("Weakest slice", "slices", "not known", "", note, *look)
    if not compared:
        first = slices[0]
        value = f"{first.candidate:.3f}" if first.candidate is not None else "not known"
        return _cell(
            "Weakest slice", "slices", value, "ROC AUC", f"{first.note} = {first.name}", "t3", "info"
        )
    weakest = compared[0]
    bad = weakest.tone == "bad"
    note = f"{weakest.note} = {weakest.name}, {weakest.verdict.lower()}"
    return _cell(
        "Weakest slice", "slices", f"{weakest.difference:+.3f}".replace("-", MINUS), "ROC AUC", note,
        "t-warn" if bad else "t-ok", "triangle-alert" if bad else "circle-check",
    )  # fmt: skip


def _gate_cell(promotion: PromotionRequest, gates: list[GateResult]) -> dict[str, str]:
    if promotion.status in promotion.OPEN and promotion.is_evaluating:
        return _cell(
            "Gates", "gates", "running", "", "judged when the evaluation ends", "t3", "loader-circle"
        )
    if not promotion.is_judged:
        return _cell("Gates", "gates", "not judged", "", "it was closed before", *UNKNOWN)
    failed, warned = (sum(gate.outcome == word for gate in gates) for word in ("failed", "warned"))
    tone, icon = (
        ("t-bad", "circle-x")
        if failed
        else ("t-warn", "triangle-alert")
        if warned
        else ("t-ok", "circle-check")
    )
    note = f"{warned} warning{'s' * (warned != 1)}, {failed} failure{'s' * (failed != 1)}"
    return _cell(
        "Gates", "gates", str(len(gates) - failed - warned), f"of {len(gates)} pass", note, tone, icon
    )


def _latency(promotion: PromotionRequest, evaluation: Evaluation | None) -> dict[str, str]:
    measured = evaluation.latency.get("candidate", {}) if evaluation else {}
    if not measured.get("p95"):
        note, look = _unevaluated(promotion, "not measured yet")
        return _cell("Latency p95", "metrics", "not known", "", note, *look)
    former = (evaluation.latency.get("champion") or {}).get("p95") if evaluation else None
    note = f"champion {former:.1f} ms, one row in the sandbox" if former else "one row in the sandbox"
    return _cell("Latency p95", "metrics", f"{measured['p95']:.1f}", "ms", note, "t-ok", "circle-check")


def _cost(evaluation: Evaluation | None) -> dict[str, str]:
    forecast = cost_forecast(evaluation)
    if forecast is None:
        return _cell(
            "Cost forecast", "cost", "not known", "", "nothing has been metered yet", "t3", "circle-dashed"
        )
    return _cell(
        "Cost forecast",
        "cost",
        money(forecast),
        "per 1,000",
        "processor time of scoring only",
        "t-ok",
        "circle-check",
    )
