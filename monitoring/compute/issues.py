"""Data issues from windows: days in a row on which an input was not what was expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

FEWEST_ROWS = 20
FEWEST_AFFECTED = 5
MORE_MISSING = 0.05
# Absence that training knew as ordinary (gusts are only reported when there are any) is no issue.
ORDINARILY_MISSING = 0.2
UNEXPECTED_SHARE = 0.01
REFUSED_SHARE = 0.001


@dataclass(frozen=True)
class DayOfFeature:
    """What one day's window says of one input."""

    feature: str
    day: date
    rows: int
    missing: int
    unexpected: int
    is_categorical: bool
    usual_missing: float
    examples: dict[str, Any] = field(default_factory=dict)


@dataclass
class FoundIssue:
    """Days in a row (rows on every day there were any) on which ``kind`` was seen."""

    feature: str
    kind: str
    first_day: date
    last_day: date
    rows: int
    affected: int
    usual_share: float
    details: dict[str, Any]


def find_issues(days: Iterable[DayOfFeature]) -> list[FoundIssue]:
    """Issues of every input, oldest first.

    Missing: twice the reference's share and five points more, unless one training row in five
    or more lacked the input. Out of range and unseen: one row in a
    hundred outside of the reference (or of the data contract). At least five rows of twenty.
    """
    found: list[FoundIssue] = []
    series: dict[tuple[str, str], list[tuple[DayOfFeature, int, bool]]] = {}
    for day in sorted(days, key=lambda each: each.day):
        for kind, affected, is_issue in _judged(day):
            series.setdefault((day.feature, kind), []).append((day, affected, is_issue))
    for (feature, kind), judged in series.items():
        found += _runs(feature, kind, judged)
    return sorted(found, key=lambda each: (each.first_day, each.feature, each.kind))


def refused_issues(days: Iterable[tuple[date, dict[str, int], int]]) -> list[FoundIssue]:
    """Issues of what the gateway refused: day, ``column|code`` counts, requests of the day.

    One issue per column, however many reasons there were; ``details`` counts them by code.
    """
    found: dict[str, FoundIssue] = {}
    done: list[FoundIssue] = []
    for day, counts, requests in sorted(days, key=lambda each: each[0]):
        for column, codes in _by_column(counts).items():
            count = codes.total()
            if count < FEWEST_AFFECTED and count < REFUSED_SHARE * requests:
                continue
            issue = found.get(column)
            if issue is None or day - issue.last_day > timedelta(days=1):
                issue = FoundIssue(column, "refused", day, day, 0, 0, 0.0, {"codes": Counter()})
                found[column] = issue
                done.append(issue)
            issue.last_day, issue.rows, issue.affected = day, issue.rows + requests, issue.affected + count
            issue.details["codes"] += codes
    return done


def _by_column(counts: dict[str, int]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for name, count in counts.items():
        column, _, code = name.partition("|")
        found.setdefault(column, Counter())[code] += count
    return found


def _judged(day: DayOfFeature) -> Iterator[tuple[str, int, bool]]:
    enough = day.rows >= FEWEST_ROWS
    missing = (
        enough
        and day.missing >= FEWEST_AFFECTED
        and day.usual_missing < ORDINARILY_MISSING
        and day.missing / day.rows > day.usual_missing + max(day.usual_missing, MORE_MISSING)
    )
    yield "missing", day.missing, missing
    unexpected = enough and day.unexpected >= FEWEST_AFFECTED and day.unexpected / day.rows > UNEXPECTED_SHARE
    yield "unseen" if day.is_categorical else "out_of_range", day.unexpected, unexpected


def _runs(feature: str, kind: str, judged: list[tuple[DayOfFeature, int, bool]]) -> Iterator[FoundIssue]:
    open_issue: FoundIssue | None = None
    for day, affected, is_issue in judged:
        if not is_issue:
            if open_issue is not None:
                yield open_issue
            open_issue = None
            continue
        if open_issue is None:
            usual = day.usual_missing if kind == "missing" else 0.0
            open_issue = FoundIssue(feature, kind, day.day, day.day, 0, 0, usual, {})
        open_issue.last_day = day.day
        open_issue.rows += day.rows
        open_issue.affected += affected
        _add_details(open_issue.details, day.examples)
    if open_issue is not None:
        yield open_issue


def _add_details(details: dict[str, Any], examples: dict[str, Any]) -> None:
    for side in ("below", "above"):
        if side in examples:
            details[side] = details.get(side, 0) + examples[side]
    if "expected" in examples:
        details["expected"] = examples["expected"]
    for value, rows in examples.get("values", {}).items():
        values = details.setdefault("values", {})
        values[value] = values.get(value, 0) + rows
