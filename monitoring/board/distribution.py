"""How one input is distributed: training data against the newest week."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from core.figures import PSI_LINES, beside_lines
from core.templatetags.ui import percent
from monitoring.board.drift import MOVED, Series
from monitoring.board.scope import Scope, day_words
from monitoring.models import FeatureWindow, Granularity, Role

INTEGERS = frozenset({"integer", "long"})


def distribution(scope: Scope, series: list[Series]) -> dict[str, Any] | None:
    """The picked input (else the one that moved furthest): training data against the newest week."""
    chosen = next((each for each in series if each.feature == scope.feature), series[0] if series else None)
    newest = (chosen.judged or chosen.newest) if chosen else None
    if chosen is None or newest is None:
        return None
    week = (
        FeatureWindow.objects.filter(
            watch=scope.watch,
            version=newest.version_id,
            role=Role.SERVED,
            granularity=Granularity.WEEK,
            feature=chosen.feature,
            is_prediction=chosen.is_prediction,
            starts_on__lte=newest.starts_on,
        )
        .select_related("version")
        .defer("version__manifest", "version__requirements", "version__flavours")
        .order_by("-starts_on")
        .first()
    )
    reference = scope.references.get(newest.version_id)
    column = "score" if chosen.is_prediction else f"in_{chosen.feature}"
    profile = reference.profile.get(column) if reference else None
    if week is None or profile is None or reference is None:
        return None
    before, now = _shares(profile["counts"]), _shares(week.bars)
    facts = _facts(profile, week, is_integer=_is_integer(week))
    return {
        "feature": chosen.feature,
        "title": _shift_words(chosen.feature, profile, week, before, now)
        if chosen.judged
        else f"{chosen.feature} is not judged before a whole week has come",
        "sub": f"{chosen.feature}, training data ({reference.dataset}) against the week of {day_words(week.starts_on, year=True)}",
        "before": before,
        "now": now,
        "facts": facts,
        "rows": _distribution_rows(profile, before, now),
    }


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


def _is_integer(week: FeatureWindow) -> bool:
    """Whether the version's signature says so: a sketch's quantile lies near a value, not on it."""
    if week.is_prediction:
        return False
    return any(
        column.get("name") == week.feature and column.get("type") in INTEGERS
        for column in (week.version.signature or {}).get("inputs") or []
    )


def _facts(profile: dict[str, Any], week: FeatureWindow, *, is_integer: bool) -> list[tuple[str, str, str]]:
    """Name, training, now."""
    said = _whole if is_integer else _plain
    facts = [("PSI of the week", "", "none" if week.psi is None else beside_lines(week.psi, PSI_LINES))]
    if profile["kind"] == "numeric":
        facts.append(("Median", said(profile["median"]), said(week.median)))
        facts.append(
            (
                "Range",
                f"{said(profile['low'])} to {said(profile['high'])}",
                f"{said(week.low)} to {said(week.high)}",
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
    return [
        [name, percent(one, 1), percent(two, 1)] for name, one, two in zip(names, before, now, strict=False)
    ]


def _percent(part: int, whole: int) -> str:
    return percent(part / whole, 1) if whole else "none"


def _plain(value: float | None) -> str:
    return "none" if value is None else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def _whole(value: float | None) -> str:
    return "none" if value is None else f"{round(value):,}"
