"""The strip of answers: quality, drift, latency, errors, cost; and the banner above it."""

from __future__ import annotations

from typing import Any

from core.figures import PSI_LINES, beside_lines, figure
from core.money import money
from monitoring.board import spending as costs
from monitoring.board.drift import Series, is_told, is_whole_week
from monitoring.board.health import Health
from monitoring.board.quality import Quality, estimate_of
from monitoring.board.scope import METRIC_WORDS, Scope, day_words
from monitoring.board.versus_words import has_interval, period_words, versus_words
from monitoring.incidents.models import AlertRule, Incident
from monitoring.models import Granularity, Level, QualityWindow, Role

ICONS = {"ok": "circle-check", "warn": "triangle-alert", "bad": "circle-x", "none": "circle-dashed"}
MOST_ERRORS = 0.01
WORST_FIRST = ("bad", "warn", "ok", "none")


def strip(
    scope: Scope, quality: Quality, series: list[Series], health: Health, spent: costs.Spending | None
) -> list[dict[str, Any]]:
    """The cells in the order people ask."""
    cells = [
        quality_cell(scope, quality),
        drift_cell(series, scope),
        latency_cell(scope, health),
        errors_cell(health),
    ]
    if spent is not None:
        cells.append(cost_cell(spent))
    for cell in cells:
        cell["icon"] = ICONS[cell["tone"]]
    return cells


def quality_cell(scope: Scope, quality: Quality) -> dict[str, Any]:
    word, newest = METRIC_WORDS[scope.metric], quality.newest
    if newest is None:
        waiting = sum(each.predictions for each in quality.label_days)
        note = f"{waiting:,} predictions wait for labels" if waiting else "no predictions yet"
        return {
            "name": "Quality",
            "anchor": "quality",
            "tone": "none",
            "value": "unknown",
            "unit": "",
            "note": note,
            "spark": [],
        }
    value = estimate_of(newest, scope.metric)
    tone = _rule_tone(scope, scope.metric, value)
    words = _versus(newest, quality.comparison, scope.metric)
    if " worse " in words:
        tone = "bad"
    note = f"week of {day_words(newest.starts_on)}, {newest.rows:,} labelled{words}"
    days = [estimate_of(each, scope.metric) for each in quality.of(Granularity.DAY, Role.SERVED)]
    return {
        "name": "Quality", "anchor": "quality", "tone": tone, "value": f"{value:.3f}", "unit": word, "note": note, "spark": days,
    }  # fmt: skip


def _versus(week: QualityWindow, pair: QualityWindow | None, metric: str) -> str:
    """The week's own verdict; where it has none, the verdict of more days with the days it is from."""
    if has_interval(week, metric):
        return f"; {_said(week, metric)} in it"
    if pair is None or pair == week or not has_interval(pair, metric):
        return "; too few to tell it from its shadow" if week.against_id else ""
    return f", too few to compare; {_said(pair, metric)} over {period_words(pair)}"


def _said(pair: QualityWindow, metric: str) -> str:
    words = versus_words(pair, metric).split(" on the same")[0]
    return words[0].lower() + words[1:]


def drift_cell(series: list[Series], scope: Scope) -> dict[str, Any]:
    inputs = [each for each in series if not each.is_prediction]
    cell: dict[str, Any] = {
        "name": "Drift",
        "anchor": "drift",
        "unit": f"of {len(inputs)} inputs",
        "ref": 0.25,
    }
    if not inputs:
        reference = next(
            (each for each in scope.references.values() if scope.live and each.version_id == scope.live.pk),
            None,
        )
        note = (
            reference.get_status_display().lower()
            if reference and not reference.is_ready
            else "nothing logged yet"
        )
        return {
            **cell,
            "tone": "none",
            "value": "unknown",
            "unit": "",
            "note": f"training reference: {note}",
            "spark": [],
            "ref": None,
        }
    if not any(each.judged for each in inputs):
        note = "no whole week with enough rows to judge by yet"
        return {
            **cell,
            "tone": "none",
            "value": "unknown",
            "unit": "",
            "note": note,
            "spark": [],
            "ref": None,
        }
    moved = [each for each in inputs if each.has_moved]
    alerts = [each for each in moved if each.judged and each.judged.level == Level.ALERT]
    worst = inputs[0]
    note = (
        f"above warn, {len(alerts)} above alert"
        if moved
        else f"above warn; {worst.feature} at {beside_lines(worst.psi, PSI_LINES)}"
    )
    return {
        **cell,
        "tone": "bad" if alerts else "warn" if moved else "ok",
        "value": str(len(moved)),
        "note": note,
        "spark": _weeks_of(worst, scope),
    }


def _weeks_of(series: Series, scope: Scope) -> list[float | None]:
    """The line of the furthest input; days are not judged, so that they draw none."""
    if scope.drift_window == Granularity.DAY:
        return []
    found = [series.by_start.get(start) for start in scope.drift_starts if is_whole_week(scope, start)]
    return [window.psi for window in found if window is not None and is_told(window)]


def latency_cell(scope: Scope, health: Health) -> dict[str, Any]:
    p95 = health.p95_ms
    cell = {
        "name": "Latency p95",
        "anchor": "latency",
        "spark": [span.latency_ms(0.95) for span in health.spans],
    }
    if p95 is None:
        return {
            **cell,
            "tone": "none",
            "value": "unknown",
            "unit": "",
            "note": f"no request in {_words(scope)}",
            "spark": [],
        }
    objective = objective_of(scope)
    note = (
        f"objective {objective:g} ms"
        if objective
        else f"{health.whole.requests:,} requests in {_words(scope)}"
    )
    tone = "bad" if objective and p95 > objective else "ok"
    return {
        **cell,
        "tone": tone,
        "value": f"{p95:.0f}" if p95 >= 10 else f"{p95:.1f}",
        "unit": "ms",
        "note": note,
    }


def errors_cell(health: Health) -> dict[str, Any]:
    rate = health.whole.error_rate
    cell = {"name": "Errors", "anchor": "latency", "spark": [span.error_rate for span in health.spans]}
    if rate is None:
        return {**cell, "tone": "none", "value": "unknown", "unit": "", "note": "no request", "spark": []}
    note = f"{health.whole.errors:,} failed, {health.whole.refused:,} refused as bad input"
    tone = "bad" if rate > MOST_ERRORS else "warn" if rate > MOST_ERRORS / 10 else "ok"
    return {**cell, "tone": tone, "value": figure(rate * 100, 2) if rate else "0", "unit": "%", "note": note}


def cost_cell(spent: costs.Spending) -> dict[str, Any]:
    cell = {"name": "Cost", "anchor": "cost", "spark": [float(amount) for amount in spent.by_day]}
    if not spent.total:
        return {
            **cell,
            "tone": "none",
            "value": "unknown",
            "unit": "",
            "note": "nothing metered yet",
            "spark": [],
        }
    per = f"{money(spent.per_1000)} per 1,000 predictions" if spent.per_1000 is not None else "no predictions"
    return {**cell, "tone": "ok", "value": money(spent.a_day), "unit": "a day", "note": per}


def worst_tone(cells: list[dict[str, Any]]) -> str:
    return min((cell["tone"] for cell in cells), key=WORST_FIRST.index, default="none")


def objective_of(scope: Scope) -> float | None:
    """The p95 a rule allows."""
    return min(
        (rule.limit for rule in scope.rules if rule.metric == "latency_p95_ms" and rule.direction == "above"),
        default=None,
    )


def incidents_of(scope: Scope) -> list[Incident]:
    """The model's incidents that are not resolved, newest first."""
    return list(Incident.objects.open().in_lists().filter(model=scope.model).order_by("-opened_at")[:5])


def _rule_tone(scope: Scope, metric: str, value: float | None) -> str:
    for rule in scope.rules:
        if rule.metric != metric or rule.against != AlertRule.Against.LIMIT or value is None:
            continue
        if (value < rule.limit) if rule.direction == "below" else (value > rule.limit):
            return "bad"
    return "ok"


def _words(scope: Scope) -> str:
    return {"24h": "24 hours", "7d": "7 days", "28d": "28 days", "90d": "90 days"}[scope.range]
