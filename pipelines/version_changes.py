"""What two versions' own statistics say of their difference: columns, rows, missing values, ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

# Beyond this many values a text column names its rows rather than describing them.
MOST_COMPARED_VALUES = 1000
MISSING_POINTS = 0.005


@dataclass(frozen=True)
class ColumnChange:
    """A column that is new, gone, or of another type or readiness to be missing."""

    column: str
    kind: str
    before: str
    after: str

    @property
    def words(self) -> str:
        if self.kind == "added":
            return f"{self.column} is new ({self.after})"
        if self.kind == "removed":
            return f"{self.column} is gone ({self.before})"
        return f"{self.column} changes from {self.before} to {self.after}"

    def as_json(self) -> dict[str, str]:
        return {**asdict(self), "words": self.words}


def schema_changes(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[ColumnChange]:
    """Columns that differ, in the order of the newer schema, then those that are gone."""
    old, new = ({each["name"]: each for each in side} for side in (before, after))
    found = []
    for name, about in new.items():
        if name not in old:
            found.append(ColumnChange(name, "added", "", about["type"]))
        elif old[name]["type"] != about["type"]:
            found.append(ColumnChange(name, "type", old[name]["type"], about["type"]))
        elif old[name]["nullable"] != about["nullable"]:
            words = ("may be missing", "never missing")
            sides = words if old[name]["nullable"] else words[::-1]
            found.append(ColumnChange(name, "nulls", *sides))
    return found + [ColumnChange(name, "removed", old[name]["type"], "") for name in old if name not in new]


def column_facts(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """For each column of both profiles the same facts twice, in the newer one's order."""
    old = {about["name"]: about for about in before.get("columns", [])}
    return [
        {
            "name": about["name"],
            "type": about["type"],
            "before": _facts(old[about["name"]]),
            "after": _facts(about),
        }
        for about in after.get("columns", [])
        if about["name"] in old
    ]


def compared_columns(
    before: dict[str, Any], after: dict[str, Any], key_columns: Sequence[str] = ()
) -> list[str]:
    """Columns of one type in both whose distribution means something: no keys, no free text."""
    keys = set(key_columns)
    old = {about["name"]: about for about in before.get("columns", [])}
    return [
        about["name"]
        for about in after.get("columns", [])
        if about["name"] in old and _is_comparable(old[about["name"]], about, about["name"] in keys)
    ]


def _is_comparable(old: dict[str, Any], new: dict[str, Any], is_key: bool) -> bool:
    numbers = {"integer", "number"}
    if old["type"] != new["type"] and not {old["type"], new["type"]} <= numbers:
        return False
    if new["type"] in numbers:
        return not is_key  # a running number always moves
    # Times move on by their nature, which freshness watches; a key or a free text has no distribution.
    return new["type"] in {"string", "boolean"} and all(
        each["distinct"] <= min(MOST_COMPARED_VALUES, each["count"] / 2) for each in (old, new)
    )


def _facts(about: dict[str, Any]) -> dict[str, Any]:
    return {
        "missing_share": about["null_share"],
        "distinct": about.get("distinct"),
        "min": about.get("min"),
        "median": (about.get("quantiles") or {}).get("0.5"),
        "mean": about.get("mean"),
        "max": about.get("max"),
    }
