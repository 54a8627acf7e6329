"""What a contract would find in a version, told from its profile before any row is read again.

A profile knows every rule but uniqueness of several columns together; where it cannot tell, it
says so and the check will.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipelines.contracts import ColumnRules, Contract


@dataclass(frozen=True)
class Foreseen:
    """Sentences of rules that would fail, and how many cannot be told yet."""

    failures: list[str] = field(default_factory=list)
    untold: int = 0


def foresee(contract: Contract, profile: dict[str, Any]) -> Foreseen:
    """The failures that the version's own statistics already show."""
    known = {about["name"]: about for about in profile.get("columns", [])}
    failures = list(_table(contract, known, int(profile.get("rows", 0))))
    untold = 0
    for rules in contract.columns:
        about = known.get(rules.name)
        if about is None:
            failures.append(f"Column {rules.name} is missing.")
            continue
        found = list(_column(rules, about))
        failures += [each for each in found if each]
        untold += found.count("")
    for names in contract.unique:
        about = known.get(names[0]) if len(names) == 1 else None
        if about is None or about.get("is_estimate"):
            untold += 1
        elif about["distinct"] + bool(about["nulls"]) < about["count"] + about["nulls"]:
            failures.append(f"{names[0]} repeats values.")
    return Foreseen(failures, untold)


def _table(contract: Contract, known: dict[str, Any], rows: int) -> Iterator[str]:
    low, high = contract.min_rows, contract.max_rows
    if (low is not None and rows < low) or (high is not None and rows > high):
        yield f"It has {rows:,} rows."
    promised = {each.name for each in contract.columns}
    extra = [name for name in known if name not in promised]
    if contract.forbids_extra_columns and extra:
        yield f"It has {len(extra)} other column{'s' * (len(extra) > 1)}: {', '.join(extra[:5])}."


def _column(rules: ColumnRules, about: dict[str, Any]) -> Iterator[str]:
    """Sentences; an empty one stands for what cannot be told."""
    if about["null_share"] > rules.max_null_share:
        yield f"{rules.name} is missing in {about['null_share']:.2%} of its rows."
    if not about["count"]:
        return
    if about["type"] != rules.type and not (rules.type == "number" and about["type"] == "integer"):
        yield f"{rules.name} is {about['type']}, not {rules.type}."
        return
    # Both sides write times as ISO 8601 in UTC, whose order is that of the text.
    if _is_beyond(rules.minimum, about.get("min")):
        yield f"{rules.name} goes down to {_words(about['min'])}."
    if _is_beyond(about.get("max"), rules.maximum):
        yield f"{rules.name} goes up to {_words(about['max'])}."
    if rules.allowed is not None:
        yield from _allowed(rules, about)


def _allowed(rules: ColumnRules, about: dict[str, Any]) -> Iterator[str]:
    values = [each["value"] for each in about.get("top") or []]
    if rules.type == "boolean":
        values = [each in (True, "true") for each in values]
    unknown = [str(each) for each in values if each not in (rules.allowed or ())]
    if unknown:
        yield f"{rules.name} holds {', '.join(unknown[:5])}."
    elif about["distinct"] > len(rules.allowed or ()):
        yield f"{rules.name} holds {about['distinct']:,} different values."
    elif about["distinct"] > len(values):
        yield ""


def _words(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _is_beyond(above: Any, below: Any) -> bool:
    return above is not None and below is not None and bool(above > below)
