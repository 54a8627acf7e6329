"""Data issues as a table with findings."""

from __future__ import annotations

from datetime import date
from typing import Any

from core.templatetags.ui import percent
from monitoring.board.scope import Scope, day_words, joined, number_word
from monitoring.models import DataIssue

MOST_ROWS = 12
LOOKS = {
    "missing": ("warn", "triangle-alert"),
    "out_of_range": ("warn", "triangle-alert"),
    "unseen": ("warn", "circle-help"),
    "refused": ("bad", "circle-x"),
}


def issues_of(scope: Scope) -> list[DataIssue]:
    """Issues seen in the range, open ones first, the newest first."""
    if scope.watch is None or not scope.days:
        return []
    rows = (
        DataIssue.objects.filter(
            watch=scope.watch, last_day__gte=scope.days[0], first_day__lte=scope.days[-1]
        )
        .select_related("version")
        .only(*_COLUMNS, "version__number", "version__model")
    )
    return sorted(
        rows, key=lambda each: (not each.is_open, -each.last_day.toordinal(), -each.share, each.feature)
    )


_COLUMNS = (
    "watch", "feature", "kind", "first_day", "last_day", "rows", "affected", "usual_share", "is_open", "details",
)  # fmt: skip


def issue_table(scope: Scope, issues: list[DataIssue]) -> dict[str, Any]:
    groups = together(issues)
    rows = [
        {
            "tone": "ok" if not each.is_open else LOOKS[each.kind][0],
            "icon": "circle-check" if not each.is_open else LOOKS[each.kind][1],
            "word": each.get_kind_display() if each.is_open else f"{each.get_kind_display()}, over",
            "feature": joined([one.feature for one in group]) or "the whole request",
            "what": issue_words(each, group),
            "version": each.version.number,
        }
        for group in groups[:MOST_ROWS]
        for each in group[:1]
    ]
    return {"title": issues_title(issues), "rows": rows, "more": max(0, len(groups) - MOST_ROWS)}


def together(issues: list[DataIssue]) -> list[list[DataIssue]]:
    """Inputs that were missing on the same days in as many rows: a feed that fell silent, most likely."""
    groups: dict[Any, list[DataIssue]] = {}
    for each in issues:
        same = (each.version_id, each.first_day, each.last_day, each.rows, each.affected)
        groups.setdefault(same if each.kind == "missing" else each.pk, []).append(each)
    return list(groups.values())


def issues_title(issues: list[DataIssue]) -> str:
    """What is wrong with the data, in one line."""
    if not issues:
        return "No data issue in this range"
    open_ones = [each for each in issues if each.is_open]
    if not open_ones:
        return (
            f"{number_word(len(issues))} data issue{'' if len(issues) == 1 else 's'} in this range, all over"
        )
    missing = sorted({each.feature for each in open_ones if each.kind == "missing"})
    if missing:
        since = min(each.first_day for each in open_ones if each.kind == "missing")
        names = joined(missing) if len(missing) <= 3 else f"{number_word(len(missing))} inputs"
        verb = "is" if len(missing) == 1 else "are"
        return f"{names} {verb} missing since {day_words(since)}"
    first = open_ones[0]
    return f"{first.feature or 'Requests'}: {first.get_kind_display().lower()} since {day_words(first.first_day)}"


def issue_words(issue: DataIssue, group: list[DataIssue] | None = None) -> str:
    """How much, when, and what was expected."""
    when = span_words(issue.first_day, issue.last_day)
    part = f"{issue.affected:,} of {issue.rows:,} rows ({percent(issue.share, 1)})"
    if issue.kind == "missing":
        usual = max(each.usual_share for each in group or [issue])
        return f"Missing in {part} {when}; in training {'at most ' if usual > issue.usual_share else ''}{percent(usual, 1)}"
    if issue.kind == "unseen":
        values = issue.details.get("values", {})
        commonest = sorted(values, key=lambda value: (-values[value], value))[:3]
        return f"Not seen in training: {joined([repr(value) for value in commonest])} in {part} {when}"
    if issue.kind == "refused":
        codes = sorted(issue.details.get("codes", {}).items(), key=lambda item: (-item[1], item[0]))[:3]
        why = joined([code.replace("_", " ") for code, _ in codes])
        return f"Refused by the gateway ({why}): {issue.affected:,} of {issue.rows:,} requests {when}"
    low, high = issue.details.get("expected", [None, None])
    sides = [f"{issue.details[side]:,} {side}" for side in ("below", "above") if issue.details.get(side)]
    return f"Outside of {_plain(low)} to {_plain(high)} in {part} {when}: {joined(sides)}"


def span_words(first: date, last: date) -> str:
    if first == last:
        return f"on {day_words(first, year=True)}"
    return f"from {day_words(first)} to {day_words(last, year=True)}"


def _plain(value: float | None) -> str:
    return "any" if value is None else f"{value:,.4g}"
