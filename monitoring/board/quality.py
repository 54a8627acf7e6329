"""Quality where labels exist, champion against shadow, and when labels come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import accumulate
from typing import Any

from core import charts
from core.templatetags.ui import percent
from monitoring.board.drift import deployment_marks
from monitoring.board.scope import HIGHER_IS_BETTER, METRIC_WORDS, Scope, day_words
from monitoring.board.versus_words import period_words, versus_words
from monitoring.models import Granularity, LabelDay, QualityWindow, Role

KNOWN_SHARE = 0.8
MOST_DELAY_DAYS = 30


class Quality:
    """The quality windows of a scope, read once."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.windows: list[QualityWindow] = []
        self.label_days: list[LabelDay] = []
        if scope.watch is None or not scope.days:
            return
        first, last = scope.days[0], scope.days[-1]
        rows = QualityWindow.objects.filter(watch=scope.watch, ends_on__gte=first, starts_on__lte=last)
        self.windows = list(
            rows.select_related("version", "against")
            .only(*_COLUMNS, "version__number", "version__model", "against__number", "against__model")
            .order_by("starts_on")
        )
        days = LabelDay.objects.filter(watch=scope.watch, day__gte=first, day__lte=last)
        self.label_days = list(days.order_by("day"))

    def of(self, granularity: str, role: str) -> list[QualityWindow]:
        return [each for each in self.windows if each.granularity == granularity and each.role == role]

    @property
    def known_to(self) -> date | None:
        """The newest day up to which at least four in five predictions have their label."""
        known = [
            each.day
            for each in self.label_days
            if each.predictions and each.labelled / each.predictions >= KNOWN_SHARE
        ]
        return max(known, default=None)

    @property
    def newest(self) -> QualityWindow | None:
        """The newest week of what was served whose labels have come."""
        weeks = [
            each
            for each in self.of(Granularity.WEEK, Role.SERVED)
            if estimate_of(each, self.scope.metric) is not None
        ]
        whole = [each for each in weeks if each.rows >= KNOWN_SHARE * each.predictions]
        return (whole or weeks or [None])[-1]

    @property
    def comparison(self) -> QualityWindow | None:
        """The served version against its shadow on all rows they share; the live version's if it has one.

        Looking back to before what is kept of deployments, the newest week speaks.
        """
        found = self._compared(Granularity.DEPLOYMENT)
        live = self.scope.endpoint.live
        mine = [each for each in found if live is not None and each.version_id == live.version_id]
        if found:
            return (mine or sorted(found, key=lambda each: each.rows))[-1]
        return next(reversed(self._compared(Granularity.WEEK)), None)

    def _compared(self, granularity: str) -> list[QualityWindow]:
        windows = self.of(granularity, Role.SERVED)
        return [each for each in windows if each.comparison.get("metrics") and each.against is not None]


_COLUMNS = (
    "watch", "role", "granularity", "starts_on", "ends_on", "predictions", "rows", "positives", "metrics",
    "comparison", "reason",
)  # fmt: skip


def estimate_of(window: QualityWindow, metric: str) -> float | None:
    value = window.metrics.get(metric, {}).get("estimate")
    return None if value is None else float(value)


def quality_figure(quality: Quality) -> dict[str, Any]:
    """The metric of what was served with its interval, and the shadow's; unlabelled days are shaded."""
    scope = quality.scope
    weekly = scope.window == "week"
    size = Granularity.WEEK if weekly else Granularity.DAY
    served = _by_start(quality.of(size, Role.SERVED), scope.metric)
    shadow = _by_start(quality.of(size, Role.SHADOW), scope.metric)
    word = METRIC_WORDS[scope.metric]
    if not any(estimate_of(each, scope.metric) is not None for each in served.values()):
        reason = next((each.reason for each in reversed(list(served.values())) if each.reason), "")
        return {
            "title": "Quality is not known yet",
            "empty_title": reason or "No predictions in this range",
            "empty_text": "Send labels by prediction id; quality is computed as they come.",
        }
    weeks = _by_start(quality.of(Granularity.WEEK, Role.SERVED), scope.metric)
    traces: list[dict[str, Any]] = []
    # A single day's rows depend on each other, so only weeks carry an interval.
    intervals = [each for each in weeks.values() if each.metrics.get(scope.metric, {}).get("low") is not None]
    if intervals:
        x = [_middle(each, weekly) for each in intervals]
        low, high = ([each.metrics[scope.metric][name] for each in intervals] for name in ("low", "high"))
        traces += charts.band(x, low, high, "accent")
    legend = [("c-info", f"{_numbers(served.values())} served")]
    if any(estimate_of(each, scope.metric) is not None for each in shadow.values()):
        traces.append(
            _line(shadow, scope, weekly, f"{_numbers(shadow.values())} in shadow", "champion", dash="dot")
        )
        legend.append(("c-champion", f"{_numbers(shadow.values())} in shadow"))
    traces.append(_line(served, scope, weekly, f"{_numbers(served.values())} served", "accent"))
    marks = [*deployment_marks(scope), *_rule_marks(scope)]
    if quality.known_to is not None and quality.known_to < scope.days[-1]:
        after = quality.known_to + timedelta(days=1)
        marks.append(charts.not_yet_known(after.isoformat(), scope.days[-1].isoformat()))
    frame = {"range": [scope.days[0].isoformat(), scope.days[-1].isoformat()]}
    return {
        "title": quality_title(quality),
        "sub": f"{word}, {'weekly' if weekly else 'daily'}; shaded: 95 % interval of each week, days drawn as blocks",
        "legend": legend,
        "figure": charts.figure(traces, marks=marks, xaxis=frame, yaxis={"tickformat": ".2f"}),
        "head": [
            "Week of" if weekly else "Day",
            "Version",
            word,
            "95 % interval",
            "Labelled",
            "Predictions",
            "Shadow",
        ],
        "rows": [_row(each, shadow.get(start), scope.metric) for start, each in sorted(served.items())],
    }


def quality_title(quality: Quality) -> str:
    """What the labels say: against the shadow if there is one, else over time."""
    scope, pair = quality.scope, quality.comparison
    if pair is not None and (words := versus_words(pair, scope.metric)):
        return f"{words}, {period_words(pair)}"
    weeks = [
        each
        for each in quality.of(Granularity.WEEK, Role.SERVED)
        if each.metrics.get(scope.metric, {}).get("low") is not None
    ]
    if len(weeks) < 2 or weeks[0].version_id != weeks[-1].version_id:
        return "Quality where labels exist"
    first, last = (each.metrics[scope.metric] for each in (weeks[0], weeks[-1]))
    if last["high"] < first["low"] or last["low"] > first["high"]:
        is_better = (last["estimate"] > first["estimate"]) == (scope.metric in HIGHER_IS_BETTER)
        since = day_words(weeks[0].starts_on)
        return f"{METRIC_WORDS[scope.metric]} {'improved' if is_better else 'fell off'} since the week of {since}"
    starts = (day_words(weeks[0].starts_on), day_words(weeks[-1].starts_on))
    return f"Quality is steady from the week of {starts[0]} to that of {starts[1]}"


def arrival(quality: Quality) -> dict[str, Any]:
    """How many predictions have their label within so many days of the event."""
    days = quality.label_days
    predictions = sum(each.predictions for each in days)
    delays: dict[int, int] = {}
    for each in days:
        for wait, count in each.delays.items():
            delays[min(int(wait), MOST_DELAY_DAYS)] = delays.get(min(int(wait), MOST_DELAY_DAYS), 0) + count
    labelled = sum(delays.values())
    if not predictions or not labelled:
        return {
            "title": "No label has come yet",
            "empty_title": "No labels in this range",
            "empty_text": f"{predictions:,} predictions wait for one." if predictions else "",
        }
    longest = max(delays)
    counts = list(accumulate(delays.get(wait, 0) for wait in range(longest + 1)))
    x = list(range(1, longest + 2))
    half = next(wait for wait, count in zip(x, counts, strict=True) if count >= labelled / 2)
    missing = predictions - labelled
    title = f"Half of the labels come within {half} day{'' if half == 1 else 's'}"
    if missing:
        title += f"; {percent(missing / predictions, 0)} of predictions have none yet"
    shares = [count / predictions * 100 for count in counts]
    return {
        "title": title,
        "sub": f"Share of {predictions:,} predictions with a label, by days since the event",
        "legend": [("s2", "labelled")],
        "figure": charts.figure(
            [
                {
                    **charts.line(x, shares, "labelled", "s2", unit=" %", digits=1),
                    "line": {"color": charts.token("s2"), "width": 2.25, "shape": "hv"},
                }
            ],
            yaxis={"range": [0, 104], "ticksuffix": " %"},
            xaxis={
                "tickformat": "d",
                "title": {"text": "days since the event"},
                "range": [0.5, max(2.5, longest + 1.5)],
                "dtick": max(1, longest // 6),
            },
        ),
        "head": ["Within", "Labels", "Share"],
        "rows": [
            [f"{wait} day{'' if wait == 1 else 's'}", f"{count:,}", f"{share:.1f} %"]
            for wait, count, share in zip(x, counts, shares, strict=True)
        ],
    }


def _by_start(windows: Iterable[QualityWindow], metric: str) -> dict[date, QualityWindow]:
    """One window per start: where versions shared a day, the one with more rows."""
    found: dict[date, QualityWindow] = {}
    for window in windows:
        known = found.get(window.starts_on)
        if known is None or window.predictions > known.predictions:
            found[window.starts_on] = window
    return found


def _line(
    windows: dict[date, QualityWindow], scope: Scope, weekly: bool, name: str, colour: str, dash: str = ""
) -> dict[str, Any]:
    items = sorted(windows.items())
    x = [_middle(window, weekly) for _, window in items]
    y = [estimate_of(window, scope.metric) for _, window in items]
    style = charts.line(x, y, name, colour, dash=dash)
    return {**style, "mode": "lines+markers", "marker": {"color": charts.token(colour), "size": 4}}


def _middle(window: QualityWindow, weekly: bool) -> str:
    """Where a window stands on the axis: a week at its Thursday."""
    if window.granularity == Granularity.WEEK:
        return (window.starts_on + timedelta(days=3)).isoformat()
    return window.starts_on.isoformat()


def _numbers(windows: Iterable[QualityWindow]) -> str:
    numbers = sorted({window.version.number for window in windows})
    return " and ".join(f"v{number}" for number in numbers)


def _rule_marks(scope: Scope) -> list[dict[str, Any]]:
    """The limits that alert rules set on the metric."""
    mine = [rule for rule in scope.rules if rule.metric == scope.metric and rule.against == "limit"]
    words = {"below": "floor", "above": "ceiling"}
    return [charts.limit(rule.limit, f"{words[rule.direction]} {rule.limit:g}") for rule in mine]


def _row(window: QualityWindow, shadow: QualityWindow | None, metric: str) -> list[str]:
    interval = window.metrics.get(metric, {})
    bounds = f"{interval['low']:.3f} to {interval['high']:.3f}" if interval.get("low") is not None else "none"
    return [
        day_words(window.starts_on, year=True),
        f"v{window.version.number}",
        _value(estimate_of(window, metric)),
        bounds,
        f"{window.rows:,}",
        f"{window.predictions:,}",
        _value(estimate_of(shadow, metric)) if shadow else "none",
    ]


def _value(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
