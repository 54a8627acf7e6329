"""Latency and errors, on the clock of serving."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from core import charts
from core.templatetags.ui import percent
from measures.latency import LatencyHistogram
from monitoring.board.scope import Scope
from monitoring.models import Granularity, HealthWindow, Role

MOST_POINTS = 96
STEPS_SECONDS = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 86400)
QUANTILES = ((0.99, "p99", "s4"), (0.95, "p95", "s1"), (0.5, "p50", "s2"))


@dataclass
class Span:
    """What was served between two moments."""

    starts_at: datetime
    requests: int = 0
    rows: int = 0
    errors: int = 0
    refused: int = 0
    latency: LatencyHistogram = field(default_factory=LatencyHistogram)

    def add(self, window: HealthWindow) -> None:
        for name in ("requests", "rows", "errors", "refused"):
            setattr(self, name, getattr(self, name) + getattr(window, name))
        for number, count in window.latency.items():
            self.latency.counts[int(number)] = self.latency.counts.get(int(number), 0) + count

    @property
    def error_rate(self) -> float | None:
        return self.errors / self.requests if self.requests else None

    def latency_ms(self, share: float) -> float | None:
        return self.latency.quantile(share)


@dataclass
class Health:
    """Spans of even length over the range, and all of it together."""

    spans: list[Span]
    whole: Span
    seconds: int

    @property
    def p95_ms(self) -> float | None:
        return self.whole.latency_ms(0.95)


def health_of(scope: Scope) -> Health:
    """What was served in the range that ends now; the finest spans that give at most 96 points."""
    since = scope.served_since
    size = Granularity.MINUTE if scope.range == "24h" else Granularity.HOUR
    windows = list(
        HealthWindow.objects.filter(
            watch=scope.watch, role=Role.SERVED, granularity=size, starts_at__gte=since
        ).order_by("starts_at")
        if scope.watch
        else []
    )
    whole = Span(since)
    for window in windows:
        whole.add(window)
    if not windows:
        return Health([], whole, 3600)
    covered = (windows[-1].starts_at - windows[0].starts_at).total_seconds()
    finest = 60 if size == Granularity.MINUTE else 3600
    seconds = next(
        (step for step in STEPS_SECONDS if step >= finest and covered / step <= MOST_POINTS),
        STEPS_SECONDS[-1],
    )
    found: dict[int, Span] = {}
    for window in windows:
        place = int(window.starts_at.timestamp()) // seconds * seconds
        found.setdefault(place, Span(datetime.fromtimestamp(place, UTC))).add(window)
    return Health([found[place] for place in sorted(found)], whole, seconds)


def latency_figure(scope: Scope, health: Health, objective_ms: float | None) -> dict[str, Any]:
    """p50, p95 and p99 over time, with the objective if a rule sets one."""
    if not health.spans:
        return {
            "title": "Nothing was served in this range",
            "empty_title": "No request in this range",
            "empty_text": "Latency is on the clock of serving: the range ends now. A longer range shows more.",
        }
    x = [span.starts_at.isoformat() for span in health.spans]
    traces = [
        charts.line(x, [span.latency_ms(share) for span in health.spans], name, colour, unit=" ms", digits=1)
        for share, name, colour in QUANTILES
    ]
    marks = [charts.limit(objective_ms, f"p95 objective {objective_ms:g} ms")] if objective_ms else []
    top = max((span.latency_ms(0.99) or 0.0 for span in health.spans), default=1.0)
    return {
        "title": latency_title(health, objective_ms),
        "sub": f"Percentiles per {_span_words(health.seconds)}, {health.whole.requests:,} requests, time served in UTC",
        "legend": [(colour, name) for _, name, colour in QUANTILES],
        "figure": charts.figure(
            traces,
            marks=marks,
            yaxis={"ticksuffix": " ms", "range": [0, max(top, objective_ms or 0) * 1.1]},
            xaxis={"tickformat": "%H:%M\n%-d %b", "range": _room_around(health)},
        ),
        "head": ["From", "Requests", "Errors", "p50", "p95", "p99"],
        "rows": [
            [
                f"{span.starts_at:%Y-%m-%d %H:%M}",
                f"{span.requests:,}",
                f"{span.errors:,}",
                *(_ms(span.latency_ms(share)) for share in (0.5, 0.95, 0.99)),
            ]
            for span in health.spans
        ],
    }


def latency_title(health: Health, objective_ms: float | None) -> str:
    p95 = health.p95_ms
    if p95 is None:
        return "No request was answered in this range"
    if objective_ms is None:
        return f"95 of 100 answers take at most {p95:.0f} ms"
    if p95 > objective_ms:
        return f"Latency misses its objective: p95 is {p95:.0f} ms of {objective_ms:g} ms"
    slow = sum((span.latency_ms(0.95) or 0.0) > objective_ms for span in health.spans)
    if slow:
        return f"Latency holds its objective but in {slow} of {len(health.spans)} spans"
    return "Latency holds its objective"


def recent_errors(health: Health) -> str:
    """The share of failed requests in words."""
    rate = health.whole.error_rate
    return "none" if rate is None else percent(rate, 2)


def _room_around(health: Health) -> list[str]:
    """From a span before the first to two after the last: a single point still gets a readable axis."""
    span = timedelta(seconds=health.seconds)
    first, last = health.spans[0].starts_at - span, health.spans[-1].starts_at + 2 * span
    return [first.isoformat(), last.isoformat()]


def _span_words(seconds: int) -> str:
    span = timedelta(seconds=seconds)
    if span < timedelta(hours=1):
        return "minute" if seconds == 60 else f"{seconds // 60} minutes"
    hours = seconds // 3600
    return "day" if hours == 24 else "hour" if hours == 1 else f"{hours} hours"


def _ms(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f} ms"


def requests_by_day(health: Health) -> dict[str, int]:
    """Rows answered by the day served."""
    found: dict[str, int] = defaultdict(int)
    for span in health.spans:
        found[span.starts_at.date().isoformat()] += span.rows
    return dict(found)
