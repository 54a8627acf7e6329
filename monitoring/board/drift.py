"""Drift: every input's windows, what they are judged by, and PSI over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from core import charts
from monitoring.board.scope import Scope, day_words
from monitoring.models import FeatureWindow, Granularity, Level, Role

WARN, ALERT = 0.10, 0.25
FEWEST_ROWS = 200
MOST_FEATURES = 40
MOST_LINES = 3
LINE_COLOURS = (("bad", "c-bad"), ("s3", "s3"), ("s2", "s2"))
MOVED = {Level.WARN, Level.ALERT}
UNTOLD = {Level.FEW, Level.NONE}
# A whole week may lie up to thirteen days back: the last one, and the one that runs.
LOOK_BACK = timedelta(days=13)

Key = tuple[str, bool]


@dataclass
class Series:
    """One input's windows by their start, each of the version that answered most rows of it.

    ``judged`` is the newest whole week with enough rows, whatever the range shows: a single day
    never looks like training data of many weekdays.
    """

    feature: str
    is_prediction: bool
    by_start: dict[date, FeatureWindow]
    judged: FeatureWindow | None

    @property
    def has_moved(self) -> bool:
        return self.judged is not None and self.judged.level in MOVED

    @property
    def psi(self) -> float:
        return self.judged.psi or 0.0 if self.judged else 0.0

    @property
    def newest(self) -> FeatureWindow | None:
        return self.by_start[max(self.by_start)] if self.by_start else None


def series_of(scope: Scope) -> list[Series]:
    """Every input in the range, the one that moved furthest by the newest whole week first."""
    if scope.watch is None or not scope.days:
        return []
    shown = _windows(scope, scope.drift_window, scope.drift_starts[0], scope.drift_starts[-1])
    weeks = (
        shown
        if scope.drift_window == Granularity.WEEK
        else _windows(scope, Granularity.WEEK, scope.days[-1] - LOOK_BACK, scope.days[-1])
    )
    found = [Series(*key, starts, _judged(scope, weeks.get(key, {}))) for key, starts in shown.items()]
    return sorted(found, key=lambda each: (-each.psi, each.feature))


def is_told(window: FeatureWindow | None) -> bool:
    """Whether the window has rows enough for its PSI to mean anything."""
    return window is not None and window.level not in UNTOLD and window.rows >= FEWEST_ROWS


def is_whole_week(scope: Scope, start: date) -> bool:
    """Events have come to its end, and no version began inside of it."""
    end = start + timedelta(days=6)
    return end <= scope.days[-1] and not any(start < day <= end for _, day in scope.first_served)


def is_cut(scope: Scope, start: date) -> bool:
    """A week in the range that is not whole: shown, and never judged."""
    return scope.drift_window == Granularity.WEEK and not is_whole_week(scope, start)


def _windows(scope: Scope, size: str, first: date, last: date) -> dict[Key, dict[date, FeatureWindow]]:
    rows = (
        FeatureWindow.objects.filter(
            watch=scope.watch,
            role=Role.SERVED,
            granularity=size,
            starts_on__gte=first,
            starts_on__lte=last,
        )
        .defer("examples", "bars")
        .order_by("starts_on")
    )
    return _of_most_rows(rows)


def _of_most_rows(windows: Iterable[FeatureWindow]) -> dict[Key, dict[date, FeatureWindow]]:
    chosen: dict[Key, dict[date, FeatureWindow]] = defaultdict(dict)
    for window in windows:
        starts = chosen[window.feature, window.is_prediction]
        known = starts.get(window.starts_on)
        if known is None or window.rows > known.rows:
            starts[window.starts_on] = window
    return chosen


def _judged(scope: Scope, weeks: dict[date, FeatureWindow]) -> FeatureWindow | None:
    whole = [start for start, window in weeks.items() if is_told(window) and is_whole_week(scope, start)]
    return weeks[max(whole)] if whole else None


def over_time(scope: Scope, series: list[Series]) -> dict[str, Any]:
    """PSI window by window: the furthest three in colour, the others in grey."""
    if not series:
        return {"title": "Drift over time", "empty_title": "No windows in this range"}
    days = [start.isoformat() for start in scope.drift_starts]
    picked = [each for each in series if each.feature == scope.feature]
    shown = (picked + [each for each in series if each not in picked])[:MOST_LINES]
    traces = [
        {**charts.line(days, _values(scope, each), each.feature, "line-strong", width=1), "hoverinfo": "skip"}
        for each in series[:MOST_FEATURES]
        if each not in shown
    ]
    legend = []
    for (colour, css), each in zip(LINE_COLOURS, shown, strict=False):
        traces.append(charts.line(days, _values(scope, each), each.feature, colour))
        legend.append((css, each.feature))
    if len(series) > len(shown):
        legend.append(("", "others in grey"))
    top = max((value or 0.0 for each in series for value in _values(scope, each)), default=0.0)
    marks = [
        charts.limit(WARN, "warn 0.10", "warn", side="right"),
        charts.limit(ALERT, "alert 0.25"),
        *deployment_marks(scope),
    ]
    head = [scope.drift_window.capitalize(), *(each.feature for each in shown)]
    rows = [
        [when(scope, start), *(_number(each.by_start.get(start)) for each in shown)]
        for start in scope.drift_starts
    ]
    return {
        "title": _crossed(scope, shown[0]),
        "sub": f"PSI over time, by the {scope.drift_window}, event time in UTC",
        "legend": legend,
        "figure": charts.figure(traces, marks=marks, yaxis={"range": [0, max(0.3, top * 1.08)]}),
        "head": head,
        "rows": rows,
    }


def deployment_marks(scope: Scope) -> list[dict[str, Any]]:
    """A version stands where the first event it served stands."""
    inside = [
        (number, day)
        for number, day in scope.first_served
        if scope.days and scope.days[0] < day <= scope.days[-1]
    ]
    return [charts.vertical(day.isoformat(), f"v{number} serves") for number, day in inside]


def _values(scope: Scope, each: Series) -> list[float | None]:
    return [
        window.psi if (window := each.by_start.get(start)) and is_told(window) else None
        for start in scope.drift_starts
    ]


def _number(window: FeatureWindow | None) -> str:
    return "none" if window is None or window.psi is None else f"{window.psi:.3f}"


def when(scope: Scope, start: date) -> str:
    """The day, or the week that begins with it."""
    words = day_words(start, year=True)
    return f"the week of {words}" if scope.drift_window == Granularity.WEEK else words


def _crossed(scope: Scope, first: Series) -> str:
    """Since when the furthest input has been above a line, by whole weeks."""
    if scope.drift_window == Granularity.DAY:
        return "Days swing more than weeks: drift is judged by the week"
    weeks = [
        (start, window.psi or 0.0)
        for start, window in sorted(first.by_start.items())
        if is_told(window) and is_whole_week(scope, start)
    ]
    for limit, name in ((ALERT, "alert"), (WARN, "warning")):
        since = None
        for start, psi in weeks:
            since = (since or start) if psi >= limit else None
        if since is not None:
            is_first = since == min(first.by_start)
            verb, when = ("has been above", "since") if is_first else ("crossed", "in")
            return f"{first.feature} {verb} the {name} line {when} the week of {day_words(since)}"
    if not weeks:
        return "No whole week to judge by yet"
    return "Every input stays below the warning line"
