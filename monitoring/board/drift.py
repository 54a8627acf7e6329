"""Drift: the heat map, PSI over time, and how one input is distributed now."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from core import charts
from monitoring.board.scope import Scope, day_words, joined, number_word
from monitoring.models import FeatureWindow, Granularity, Level, Role

WARN, ALERT = 0.10, 0.25
STEPS = (0.03, 0.06, 0.10, 0.15, 0.20, 0.25)
MOST_FEATURES = 40
MOST_LINES = 3
LINE_COLOURS = (("bad", "c-bad"), ("s3", "s3"), ("s2", "s2"))
MOVED = {Level.WARN, Level.ALERT}
UNTOLD = {Level.FEW, Level.NONE}
SHARE_POINTS = 0.02


@dataclass
class Series:
    """One input's windows by their start, each of the version that answered most rows of it."""

    feature: str
    is_prediction: bool
    by_start: dict[date, FeatureWindow]
    whole: date

    @property
    def newest(self) -> FeatureWindow | None:
        """The newest whole window with enough rows, which says whether the input has moved."""
        enough = [start for start, window in self.by_start.items() if window.level not in UNTOLD]
        whole = [start for start in enough if start <= self.whole]
        return self.by_start[max(whole or enough or self.by_start)] if self.by_start else None

    @property
    def psi(self) -> float:
        return self.newest.psi or 0.0 if self.newest and self.newest.level != Level.FEW else 0.0


def series_of(scope: Scope) -> list[Series]:
    """Every input in the range, the one that moved furthest by the newest whole window first."""
    if scope.watch is None or not scope.days:
        return []
    windows = (
        FeatureWindow.objects.filter(
            watch=scope.watch,
            role=Role.SERVED,
            granularity=scope.drift_window,
            starts_on__gte=scope.drift_starts[0],
            starts_on__lte=scope.drift_starts[-1],
        )
        .defer("examples", "bars")
        .order_by("starts_on")
    )
    chosen: dict[tuple[str, bool], dict[date, FeatureWindow]] = defaultdict(dict)
    for window in windows:
        starts = chosen[window.feature, window.is_prediction]
        known = starts.get(window.starts_on)
        if known is None or window.rows > known.rows:
            starts[window.starts_on] = window
    whole = scope.days[-1] - timedelta(days=6 if scope.drift_window == Granularity.WEEK else 0)
    found = [Series(*key, starts, whole) for key, starts in chosen.items()]
    return sorted(found, key=lambda each: (-each.psi, each.feature))


def heat_map(scope: Scope, series: list[Series]) -> dict[str, Any]:
    """Rows of cells; windows without rows are hatched, those with too few are pale and say so."""
    starts = scope.drift_starts
    every = max(1, -(-len(starts) // 4))
    heads = [
        (day_words(start) if place % every == 0 else "", _when(scope, start))
        for place, start in enumerate(starts)
    ]
    rows = [
        {
            "feature": each.feature,
            "is_prediction": each.is_prediction,
            "is_selected": each.feature == scope.feature,
            "cells": [
                (_step(each.by_start.get(start)), _cell_words(each.by_start.get(start)), _when(scope, start))
                for start in starts
            ],
            "newest": each.newest,
            "tone": _tone(each.newest),
        }
        for each in series[:MOST_FEATURES]
    ]
    return {
        "title": heat_title(series),
        "sub": f"Population stability index per input and {scope.drift_window}, against the training data{_of_versions(scope)}",
        "heads": heads,
        "rows": rows,
        "hidden": max(0, len(series) - MOST_FEATURES),
    }


def heat_title(series: list[Series]) -> str:
    """Which inputs have moved in the newest whole window."""
    if not series:
        return "Drift"
    moved = [each for each in series if each.newest and each.newest.level in MOVED]
    inputs = [each.feature for each in moved if not each.is_prediction]
    if not moved:
        few = all(each.newest is None or each.newest.level in {Level.FEW, Level.NONE} for each in series)
        return (
            "Too few rows to tell whether an input moved"
            if few
            else "No input has moved from the training data"
        )
    if not inputs:
        return "The predictions have moved, the inputs have not"
    if len(inputs) <= 3:
        return f"{joined(inputs)} {'has' if len(inputs) == 1 else 'have'} moved from the training data"
    return f"{number_word(len(inputs))} inputs have moved from the training data, {inputs[0]} furthest"


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
        [_when(scope, start), *(_number(each.by_start.get(start)) for each in shown)]
        for start in scope.drift_starts
    ]
    return {
        "title": _crossed(shown[0], scope.drift_window),
        "sub": f"PSI over time, by the {scope.drift_window}, event time in UTC",
        "legend": legend,
        "figure": charts.figure(traces, marks=marks, yaxis={"range": [0, max(0.3, top * 1.08)]}),
        "head": head,
        "rows": rows,
    }


def distribution(scope: Scope, series: list[Series]) -> dict[str, Any] | None:
    """The picked input (else the one that moved furthest): training data against the newest week."""
    chosen = next((each for each in series if each.feature == scope.feature), series[0] if series else None)
    if chosen is None or chosen.newest is None:
        return None
    week = (
        FeatureWindow.objects.filter(
            watch=scope.watch,
            version=chosen.newest.version_id,
            role=Role.SERVED,
            granularity=Granularity.WEEK,
            feature=chosen.feature,
            is_prediction=chosen.is_prediction,
            starts_on__lte=chosen.newest.starts_on,
        )
        .order_by("-starts_on")
        .first()
    )
    reference = scope.references.get(chosen.newest.version_id)
    column = "score" if chosen.is_prediction else f"in_{chosen.feature}"
    profile = reference.profile.get(column) if reference else None
    if week is None or profile is None or reference is None:
        return None
    before, now = _shares(profile["counts"]), _shares(week.bars)
    facts = _facts(profile, week)
    return {
        "feature": chosen.feature,
        "title": _shift_words(chosen.feature, profile, week, before, now),
        "sub": f"{chosen.feature}, training data ({reference.dataset}) against the week of {day_words(week.starts_on, year=True)}",
        "before": before,
        "now": now,
        "facts": facts,
        "rows": _distribution_rows(profile, before, now),
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
        window.psi if (window := each.by_start.get(start)) and window.level != Level.FEW else None
        for start in scope.drift_starts
    ]


def _step(window: FeatureWindow | None) -> str:
    if window is None or window.psi is None:
        return "hx"
    if window.level == Level.FEW:
        return "hx few"
    return f"h{sum(window.psi >= step for step in STEPS)}"


def _cell_words(window: FeatureWindow | None) -> str:
    if window is None or window.psi is None:
        return "no data"
    if window.level == Level.FEW:
        return f"too few rows ({window.rows})"
    return f"{window.psi:.3f}"


def _tone(window: FeatureWindow | None) -> str:
    if window is None or window.level in {Level.NONE, Level.FEW}:
        return "n"
    return {Level.ALERT: "bad", Level.WARN: "warn"}.get(Level(window.level), "ok")


def _number(window: FeatureWindow | None) -> str:
    return "none" if window is None or window.psi is None else f"{window.psi:.3f}"


def _when(scope: Scope, start: date) -> str:
    """The day, or the week that begins with it."""
    words = day_words(start, year=True)
    return f"the week of {words}" if scope.drift_window == Granularity.WEEK else words


def _crossed(first: Series, size: str) -> str:
    """Since when the furthest input has been above a line."""
    for limit, name in ((ALERT, "alert"), (WARN, "warning")):
        since = None
        for day in sorted(first.by_start):
            window = first.by_start[day]
            if window.level == Level.FEW or window.psi is None:
                continue
            since = (since or day) if window.psi >= limit else None
        if since is not None:
            is_first = since == min(first.by_start)
            verb = "has been above" if is_first else "crossed"
            when = f"the week of {day_words(since)}" if size == Granularity.WEEK else day_words(since)
            when = f"{'since' if is_first else 'in' if size == Granularity.WEEK else 'on'} {when}"
            return f"{first.feature} {verb} the {name} line {when}"
    return "Every input stays below the warning line"


def _of_versions(scope: Scope) -> str:
    return (
        f" of v{scope.live.number}"
        if scope.live and len(scope.first_served) <= 1
        else " of the version that served"
    )


def _shares(counts: list[int]) -> list[float]:
    total = sum(counts) or 1
    return [round(count / total, 5) for count in counts]


def _shift_words(
    feature: str, profile: dict[str, Any], week: FeatureWindow, before: list[float], now: list[float]
) -> str:
    if week.level not in MOVED:
        return f"{feature} looks as in training"
    if profile["kind"] == "categorical":
        names = [*profile["bars"], "other values"]
        place = max(range(len(now)), key=lambda index: abs(now[index] - before[index]))
        points = (now[place] - before[place]) * 100
        return f"{names[place]} {'gained' if points > 0 else 'lost'} {abs(points):.0f} points of {feature}"
    if profile["median"] is None or week.median is None or profile["median"] == week.median:
        return f"{feature} is spread differently than in training"
    return f"{feature} shifted {'upwards' if week.median > profile['median'] else 'downwards'}"


def _facts(profile: dict[str, Any], week: FeatureWindow) -> list[tuple[str, str, str]]:
    """Name, training, now."""
    facts = [("PSI of the week", "", "none" if week.psi is None else f"{week.psi:.2f}")]
    if profile["kind"] == "numeric":
        facts.append(("Median", _plain(profile["median"]), _plain(week.median)))
        facts.append(
            (
                "Range",
                f"{_plain(profile['low'])} to {_plain(profile['high'])}",
                f"{_plain(week.low)} to {_plain(week.high)}",
            )
        )
    facts.append(("Distinct values", f"{profile['distinct']:,}", f"{week.distinct:,}"))
    facts.append(
        ("Missing", _percent(profile["missing"], profile["rows"]), _percent(week.missing, week.rows))
    )
    if week.unexpected:
        name = "Unseen values" if profile["kind"] == "categorical" else "Out of range"
        facts.append((name, "none", _percent(week.unexpected, week.rows)))
    return facts


def _distribution_rows(profile: dict[str, Any], before: list[float], now: list[float]) -> list[list[str]]:
    if profile["kind"] == "categorical":
        names = [*profile["bars"], "other values"]
    else:
        edges = profile["bars"]
        names = [f"{_plain(low)} to {_plain(high)}" for low, high in pairwise(edges)]
    return [[name, f"{one:.1%}", f"{two:.1%}"] for name, one, two in zip(names, before, now, strict=False)]


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "none"


def _plain(value: float | None) -> str:
    return "none" if value is None else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
