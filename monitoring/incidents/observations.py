"""What each window says about a rule: a value, a verdict, and the words for it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from itertools import groupby
from typing import Any

from measures.hysteresis import Verdict
from measures.latency import LatencyHistogram
from monitoring.incidents.models import FEATURE_METRICS, QUALITY_METRICS, AlertRule, Metric
from monitoring.models import FeatureWindow, Granularity, HealthWindow, QualityWindow, Role, Watch

PREDICTION = "prediction"


@dataclass(frozen=True)
class Observation:
    """A rule's metric in one window. ``value`` is None where the window cannot tell."""

    starts_on: date
    value: float | None
    words: str = ""
    against: uuid.UUID | None = None
    against_number: int | None = None
    rows: int = 0
    low: float | None = None
    high: float | None = None

    def verdict(self, rule: AlertRule) -> Verdict:
        if self.value is None:
            return Verdict.UNKNOWN
        crossed = self.value < rule.limit if rule.direction == "below" else self.value > rule.limit
        return Verdict.BREACH if crossed else Verdict.FINE

    def to_json(self) -> dict[str, Any]:
        return {
            "starts_on": self.starts_on.isoformat(),
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "words": self.words,
            "rows": self.rows,
        }


def observations(rule: AlertRule, watch: Watch, version: uuid.UUID) -> list[Observation]:
    """Every whole window of the version, oldest first. A window is whole once later events came."""
    if watch.watermark is None:
        return []
    if rule.metric in QUALITY_METRICS:
        found = _of_quality(rule, watch, version)
    elif rule.metric in FEATURE_METRICS:
        found = _of_features(rule, watch, version)
    else:
        return list(_of_health(rule, watch, version))
    length = timedelta(days=7 if rule.window == Granularity.WEEK else 1)
    # Event time has passed the window's end, give or take a day on which nothing happens.
    return [each for each in found if each.starts_on + length <= watch.watermark.date() + timedelta(days=1)]


def _of_quality(rule: AlertRule, watch: Watch, version: uuid.UUID) -> Iterator[Observation]:
    windows = QualityWindow.objects.filter(
        watch=watch, version=version, role=Role.SERVED, granularity=rule.window
    ).select_related("against")
    for window in windows.order_by("starts_on"):
        yield _against_shadow(rule, window) if rule.against == "shadow" else _against_limit(rule, window)


def _against_limit(rule: AlertRule, window: QualityWindow) -> Observation:
    measured = window.metrics.get(rule.metric, {}) if window.rows >= rule.fewest_rows else {}
    value = measured.get("estimate")
    words = "" if value is None else f"{value:.3f} on {window.rows:,} labelled rows"
    return Observation(window.starts_on, value, words, rows=window.rows, **_interval(measured))


def _against_shadow(rule: AlertRule, window: QualityWindow) -> Observation:
    rows = int(window.comparison.get("rows", 0))
    both = window.comparison.get("metrics", {}).get(rule.metric, {})
    difference = both.get("difference", {})
    value = difference.get("estimate") if rows >= rule.fewest_rows else None
    if value is None or window.against is None:
        return Observation(window.starts_on, None, rows=rows)
    served, shadow = both["served"]["estimate"], both["shadow"]["estimate"]
    words = f"{served:.3f} against {shadow:.3f} of v{window.against.number} on the same {rows:,} rows"
    return Observation(
        window.starts_on,
        value,
        words,
        window.against_id,
        window.against.number,
        rows,
        **_interval(difference),
    )


def _interval(measured: dict[str, Any]) -> dict[str, float | None]:
    return {"low": measured.get("low"), "high": measured.get("high")}


def _of_features(rule: AlertRule, watch: Watch, version: uuid.UUID) -> Iterator[Observation]:
    windows = FeatureWindow.objects.filter(
        watch=watch, version=version, role=Role.SERVED, granularity=rule.window
    ).order_by("starts_on", "feature")
    if rule.feature:
        windows = windows.filter(feature=rule.feature, is_prediction=rule.feature == PREDICTION)
    for day, group in groupby(windows, key=lambda window: window.starts_on):
        judged = [(value, window) for window in group if (value := _feature_value(rule, window)) is not None]
        if not judged:
            yield Observation(day, None)
            continue
        value, window = max(judged, key=lambda each: each[0] if rule.direction == "above" else -each[0])
        number = f"PSI {value:.2f}" if rule.metric == Metric.PSI else f"{value:.1%} missing"
        yield Observation(day, value, f"{window.feature} at {number}", rows=window.rows)


def _feature_value(rule: AlertRule, window: FeatureWindow) -> float | None:
    if window.rows < rule.fewest_rows:
        return None
    if rule.metric == Metric.MISSING_SHARE:
        return window.missing / window.rows
    return window.psi if window.level not in {"none", "few"} else None


def _of_health(rule: AlertRule, watch: Watch, version: uuid.UUID) -> Iterator[Observation]:
    windows = HealthWindow.objects.filter(
        watch=watch, version=version, role=Role.SERVED, granularity=Granularity.HOUR
    ).order_by("starts_at")
    for start, group in groupby(windows, key=lambda window: _served_window(rule, window)):
        yield _health(rule, start, list(group))


def _served_window(rule: AlertRule, window: HealthWindow) -> date:
    day = window.starts_at.astimezone(UTC).date()
    return day - timedelta(days=day.weekday()) if rule.window == Granularity.WEEK else day


def _health(rule: AlertRule, start: date, windows: Iterable[HealthWindow]) -> Observation:
    windows = list(windows)
    requests = sum(window.requests for window in windows)
    if requests < rule.fewest_rows:
        return Observation(start, None, rows=requests)
    if rule.metric == Metric.ERROR_RATE:
        rate = sum(window.errors for window in windows) / requests
        return Observation(start, rate, f"{rate:.2%} of {requests:,} requests", rows=requests)
    p95 = LatencyHistogram.all_of(LatencyHistogram.from_json(each.latency) for each in windows).quantile(0.95)
    words = "" if p95 is None else f"{p95:.0f} ms over {requests:,} requests"
    return Observation(start, p95, words, rows=requests)
