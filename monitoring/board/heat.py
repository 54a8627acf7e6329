"""The heat map of drift and what it says in a sentence."""

from __future__ import annotations

from datetime import date
from typing import Any

from monitoring.board.drift import MOST_FEATURES, Series, is_cut, is_told, when
from monitoring.board.scope import Scope, day_words, joined, number_word
from monitoring.models import FeatureWindow, Level

STEPS = (0.03, 0.06, 0.10, 0.15, 0.20, 0.25)


def heat_map(scope: Scope, series: list[Series]) -> dict[str, Any]:
    """Rows of cells; windows without rows or with too few are hatched, weeks cut short are dashed."""
    rows = [
        {
            "feature": each.feature,
            "is_prediction": each.is_prediction,
            "is_selected": each.feature == scope.feature,
            "cells": [_cell(scope, each.by_start.get(start), start) for start in scope.drift_starts],
            "judged": each.judged,
            "tone": _tone(each.judged),
        }
        for each in series[:MOST_FEATURES]
    ]
    of_what = f"Population stability index per input and {scope.drift_window}, against the training data"
    return {
        "title": heat_title(series),
        "sub": f"{of_what}{_of_versions(scope)}{_judged_by(series)}",
        "heads": _heads(scope),
        "rows": rows,
        "hidden": max(0, len(series) - MOST_FEATURES),
    }


def heat_title(series: list[Series]) -> str:
    """Which inputs have moved in the newest whole week."""
    if not series:
        return "Drift"
    if not any(each.judged for each in series):
        return "No whole week with enough rows to tell whether an input moved"
    inputs = [each.feature for each in series if each.has_moved and not each.is_prediction]
    if not inputs and any(each.has_moved for each in series):
        return "The predictions have moved, the inputs have not"
    if not inputs:
        return "No input has moved from the training data"
    if len(inputs) <= 3:
        return f"{joined(inputs)} {'has' if len(inputs) == 1 else 'have'} moved from the training data"
    return f"{number_word(len(inputs))} inputs have moved from the training data, {inputs[0]} furthest"


def _judged_by(series: list[Series]) -> str:
    weeks = {each.judged.starts_on for each in series if each.judged}
    return f"; judged by the week of {day_words(max(weeks), year=True)}" if weeks else ""


def _heads(scope: Scope) -> list[tuple[str, str]]:
    """The word above a column, where there is room for one, and the words read aloud."""
    starts = scope.drift_starts
    every = max(1, -(-len(starts) // 4))
    heads = []
    for place, start in enumerate(starts):
        short = day_words(start) if place % every == 0 else ""
        if is_cut(scope, start) and start == starts[-1]:
            short = "so far"
        heads.append((short, f"{when(scope, start)}{_cut_words(scope, start)}"))
    return heads


def _cell(scope: Scope, window: FeatureWindow | None, start: date) -> tuple[str, str, str]:
    """Its class, its words, and when it is of."""
    step = _step(window)
    cut = " cut" if step.startswith("h") and step != "hx" and is_cut(scope, start) else ""
    return f"{step}{cut}", f"{_cell_words(window)}{_cut_words(scope, start)}", when(scope, start)


def _cut_words(scope: Scope, start: date) -> str:
    return " (not a whole week)" if is_cut(scope, start) else ""


def _step(window: FeatureWindow | None) -> str:
    if window is None or window.psi is None:
        return "hx"
    if not is_told(window):
        return "hx few"
    return f"h{sum(window.psi >= step for step in STEPS)}"


def _cell_words(window: FeatureWindow | None) -> str:
    if window is None or window.psi is None:
        return "no data"
    if not is_told(window):
        return f"too few rows ({window.rows})"
    return f"{window.psi:.3f}"


def _tone(window: FeatureWindow | None) -> str:
    if window is None:
        return "n"
    return {Level.ALERT: "bad", Level.WARN: "warn"}.get(Level(window.level), "ok")


def _of_versions(scope: Scope) -> str:
    return (
        f" of v{scope.live.number}"
        if scope.live and len(scope.first_served) <= 1
        else " of the version that served"
    )
