"""A contract's rules as sentences, and two documents' sentences beside each other; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
    "datetime": "a moment",
    "date": "a day",
}
MOST_VALUES = 6


@dataclass(frozen=True)
class Beside:
    """One rule as two documents say it; an empty side does not speak of it."""

    subject: str
    before: str
    after: str

    @property
    def is_same(self) -> bool:
        return self.before == self.after


def side_by_side(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Beside]:
    """Every rule of either document, in the newer one's order; those that differ first."""
    old, new = sentences_of(before), sentences_of(after)
    rows = [Beside(name, old.get(name, ""), new.get(name, "")) for name in {**new, **old}]
    return sorted(rows, key=lambda row: row.is_same)


def sentences_of(document: Mapping[str, Any]) -> dict[str, str]:
    """What each column and the table as a whole must hold: subject to sentence."""
    found = {name: column_sentence(rules) for name, rules in (document.get("columns") or {}).items()}
    if (rows := document.get("rows") or {}) and (ends := _ends(rows)):
        found["Rows"] = f"The number of rows is {ends}."
    if document.get("extra_columns") == "forbid":
        found["Other columns"] = "No other column may be there."
    for key in document.get("unique") or []:
        names = [key] if isinstance(key, str) else list(key)
        found[f"Key {', '.join(names)}"] = (
            f"Each {' with '.join(names)} occurs once." if len(names) > 1 else f"Each {names[0]} occurs once."
        )
    return found


def column_sentence(rules: Mapping[str, Any]) -> str:
    """``A number from −30 to 120; at most 5 % may be missing.``"""
    kind = KINDS.get(rules.get("type", ""), rules.get("type") or "anything")
    ends = _ends(rules)
    said = f"{kind[0].upper()}{kind[1:]}" + (
        f", {ends}" if ends.startswith("at") else f" {ends}" if ends else ""
    )
    if allowed := rules.get("allowed"):
        said += f", one of {_list(allowed)}"
    share = rules.get("max_null_share") or 0
    missing = {0: "none", 1: "any"}.get(share) or f"at most {_percent(share)}"
    return f"{said}; {missing} may be missing."


def _ends(rules: Mapping[str, Any]) -> str:
    low, high = rules.get("min"), rules.get("max")
    if low is not None and high is not None:
        return f"from {_value(low)} to {_value(high)}"
    if low is not None:
        return f"at least {_value(low)}"
    return f"at most {_value(high)}" if high is not None else ""


def _list(values: list[Any]) -> str:
    shown = ", ".join(_value(each) for each in values[:MOST_VALUES])
    more = len(values) - MOST_VALUES
    return f"{shown} and {more} more" if more > 0 else shown


def _value(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        exact = int(value) if float(value).is_integer() else value
        return f"{exact:,}".replace("-", "\N{MINUS SIGN}")
    return str(value)


def _percent(share: float) -> str:
    return f"{share * 100:.4g} %"
