"""A contract proposed from what was seen in one version: a start for a person, never the last word.

Every proposed rule holds for the version it was inferred from. Ranges leave room beyond the
1 % and 99 % quantiles; where the extremes lie far outside of them, the note says so, since such a
value is often a placeholder for a missing one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.contracts import SCHEMA

ROOM = 0.5
FAR = 3.0
MOST_PROPOSED_VALUES = 20
ROWS_PER_VALUE = 10
FEWEST_ROWS = 100
VOLUME = (0.5, 2.0)


@dataclass(frozen=True)
class Note:
    """Why a rule is proposed; ``is_doubtful`` asks a person to look at it first."""

    column: str
    rule: str
    words: str
    is_doubtful: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "column": self.column,
            "rule": self.rule,
            "words": self.words,
            "is_doubtful": self.is_doubtful,
        }


@dataclass(frozen=True)
class Proposal:
    """A contract document and the reason of each of its rules."""

    document: dict[str, Any]
    notes: tuple[Note, ...]


def propose(
    profile: dict[str, Any], *, row_counts: Sequence[int] = (), key_columns: Sequence[str] = ()
) -> Proposal:
    """The contract that a version's profile suggests; ``row_counts`` are those of its siblings."""
    unique, told = _unique(profile, key_columns)
    # Keys grow from month to month: a range would break at the next version.
    keys = {name for names in unique for name in names}
    columns, notes = {}, []
    for about in profile.get("columns", []):
        rules, why = _column(about, int(profile["rows"]), about["name"] in keys)
        columns[about["name"]] = rules
        notes += why
    document: dict[str, Any] = {"schema": SCHEMA}
    counts = [*row_counts, int(profile["rows"])]
    low, high = math.floor(min(counts) * VOLUME[0]), math.ceil(max(counts) * VOLUME[1])
    document["rows"] = {"min": low, "max": high}
    seen = f"{min(counts):,} to {max(counts):,} rows" if len(counts) > 1 else f"{counts[0]:,} rows"
    words = f"half the fewest to twice the most of {seen} seen in {len(counts)} version"
    notes.append(Note("", "volume", words + ("s" if len(counts) > 1 else "")))
    document["columns"] = columns
    if unique:
        document["unique"] = unique
    return Proposal(document, (*notes, *told))


def _column(about: dict[str, Any], rows: int, is_key: bool) -> tuple[dict[str, Any], list[Note]]:
    rules: dict[str, Any] = {"type": about["type"]}
    notes = []
    if about["nulls"]:
        rules["max_null_share"] = _share(about["null_share"])
        words = f"missing in {about['null_share']:.2%} of the rows seen, half as much again is allowed"
        notes.append(Note(about["name"], "nulls", words, about["null_share"] == 1))
    allowed = _allowed(about)
    if allowed is not None:
        rules["allowed"] = allowed
        notes.append(Note(about["name"], "allowed", f"the {len(allowed)} values seen in {rows:,} rows"))
    elif about["type"] in {"integer", "number"} and about.get("quantiles") and not is_key:
        rules["min"], rules["max"], note = _range(about)
        notes.append(note)
    return rules, notes


def _share(share: float) -> float:
    """Half as much again and a bit, rounded up to two places, so that chance alone breaks nothing."""
    return min(1.0, math.ceil((share * 1.5 + 0.001) * 1000) / 1000)


def _allowed(about: dict[str, Any]) -> list[Any] | None:
    """The values of a column that repeats few of them; None where a list would only enumerate rows."""
    values = [each["value"] for each in about.get("top") or []]
    if not values or about["distinct"] != len(values) or len(values) > MOST_PROPOSED_VALUES:
        return None
    if about["count"] < ROWS_PER_VALUE * len(values):
        return None
    if about["type"] == "string":
        return sorted(values)
    return sorted(values) if about["type"] == "integer" and len(values) == 2 else None


def _range(about: dict[str, Any]) -> tuple[Any, Any, Note]:
    low, high = about["min"], about["max"]
    inner = about["quantiles"]["0.01"], about["quantiles"]["0.99"]
    if None in (low, high, *inner):
        return low, high, Note(about["name"], "range", "the lowest and highest value seen")
    if about["type"] == "integer" and about["distinct"] <= MOST_PROPOSED_VALUES:
        note = Note(about["name"], "range", f"the lowest and highest of {about['distinct']} whole numbers")
        return low, high, note
    span = inner[1] - inner[0]
    far = [end for end in (low, high) if end < inner[0] - FAR * span or end > inner[1] + FAR * span]
    bottom = min(low, _outward(inner[0] - ROOM * span, math.floor, about["type"]))
    top = max(high, _outward(inner[1] + ROOM * span, math.ceil, about["type"]))
    if low >= 0:
        bottom = max(bottom, 0)
    words = (
        f"1 % to 99 % of the rows lie from {inner[0]:.6g} to {inner[1]:.6g}; half that span is left as room"
    )
    if far:
        ends = " and ".join(f"{each:.6g}" for each in far)
        words = (
            f"{ends} lies far from the 98 % of rows between {inner[0]:.6g} and {inner[1]:.6g}: a placeholder?"
        )
    return bottom, top, Note(about["name"], "range", words, bool(far))


def _outward(value: float, to: Any, kind: str) -> Any:
    """Away from the data, to two significant digits (whole for integers)."""
    if value == 0 or not math.isfinite(value):
        return 0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    if kind == "integer":
        unit = max(1.0, unit)
    rounded = to(value / unit) * unit
    return int(rounded) if kind == "integer" or unit >= 1 else float(f"{rounded:.12g}")


def _unique(profile: dict[str, Any], key_columns: Sequence[str]) -> tuple[list[list[str]], list[Note]]:
    known = {about["name"]: about for about in profile.get("columns", [])}
    keys = [list(key_columns)] if key_columns and all(name in known for name in key_columns) else []
    notes = []
    for names in keys:
        words = "the data set's key"
        about = known[names[0]]
        is_told = len(names) == 1 and not about.get("is_estimate")
        doubtful = is_told and about["distinct"] < about["count"]
        if doubtful:
            words += (
                f", although {known[names[0]]['count'] - known[names[0]]['distinct']:,} rows repeat a value"
            )
        notes.append(Note(", ".join(names), "unique", words, doubtful))
    for name, about in known.items():
        differs = about["distinct"] == about["count"] == profile["rows"] >= FEWEST_ROWS
        if differs and about["type"] in {"string", "integer"} and [name] not in keys:
            keys.append([name])
            notes.append(Note(name, "unique", f"each of {profile['rows']:,} rows has its own value"))
    return keys, notes
