"""The data contract document: what a data set promises of every version.

    schema: controlplane/contract/v1
    rows: {min: 20000, max: 40000}
    columns:
      carrier: {type: string, allowed: [AA, UA]}
      hour: {type: integer, min: 0, max: 23}
      temp: {type: number, min: -30, max: 120, max_null_share: 0.02}
    unique: [[flight_id]]
    extra_columns: forbid

Every column named must be there. Without ``max_null_share`` no value may be missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import yaml

from core.canonical import canonical_json, sha256_hex
from core.errors import Invalid
from core.text import checked_json, checked_text

SCHEMA = "controlplane/contract/v1"
TYPES = ("string", "integer", "number", "boolean", "datetime", "date")
ORDERED_TYPES = frozenset({"integer", "number", "datetime", "date"})
MOST_COLUMNS = 500
MOST_ALLOWED = 5000
LONGEST_DOCUMENT = 500_000
KEYS = {"schema", "rows", "columns", "unique", "extra_columns", "description"}
COLUMN_KEYS = {"type", "min", "max", "max_null_share", "allowed", "description"}


@dataclass(frozen=True)
class ColumnRules:
    """What is promised of one column; times are compared as ISO 8601 text in UTC."""

    name: str
    type: str
    minimum: Any = None
    maximum: Any = None
    max_null_share: float = 0.0
    allowed: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Contract:
    """A parsed document."""

    columns: tuple[ColumnRules, ...] = ()
    min_rows: int | None = None
    max_rows: int | None = None
    unique: tuple[tuple[str, ...], ...] = ()
    forbids_extra_columns: bool = False
    document: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the document's canonical JSON."""
        return sha256_hex(canonical_json(self.document))


def parse(source: Any) -> Contract:
    """A document, or its YAML or JSON text, as a Contract; Invalid names the field at fault."""
    document = _table(loaded(source) if isinstance(source, str) else source, "contract", KEYS)
    checked_json(document, "contract")
    if document.get("schema") != SCHEMA:
        raise Invalid(f"schema must be {SCHEMA!r}.", field="schema", allowed=SCHEMA)
    columns = _columns(document.get("columns", {}))
    low, high = _rows(document.get("rows", {}))
    if not columns and low is None and high is None:
        raise Invalid("A contract needs rules: columns, rows or both.", field="columns", allowed="columns")
    extra = document.get("extra_columns", "allow")
    if extra not in ("allow", "forbid"):
        raise Invalid(
            "extra_columns must be allow or forbid.", field="extra_columns", allowed="allow, forbid"
        )
    return Contract(
        columns=columns,
        min_rows=low,
        max_rows=high,
        unique=_unique(document.get("unique", []), columns),
        forbids_extra_columns=extra == "forbid",
        document=document,
    )


def without_volume(document: dict[str, Any]) -> dict[str, Any]:
    """The same promises for a part of the data: all but the number of rows."""
    return {name: value for name, value in document.items() if name != "rows"}


def loaded(text: str) -> Any:
    """YAML or JSON text as plain values; Invalid when it is neither."""
    if len(text) > LONGEST_DOCUMENT:
        raise Invalid(f"A contract has at most {LONGEST_DOCUMENT} characters.", field="contract")
    try:
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise Invalid(f"The contract is not YAML or JSON{where}.", field="contract") from error


class _PlainLoader(yaml.SafeLoader):
    """YAML with two habits gone: repeated keys are refused, and so are aliases, which can explode."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        names = [getattr(key, "value", None) for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                raise Invalid(f"{name} is given twice.", field=str(name))
        return super().construct_mapping(node, deep)


# Dates stay text: the column's type says what they are.
_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _table(value: Any, where: str, keys: set[str] | None = None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"{where} must be a table of names and values.", field=where, allowed="an object")
    for key in value:
        if not isinstance(key, str):
            raise Invalid(f"{where} has a name that is no text: {key!r}.", field=where, allowed="text")
        if keys is not None and key not in keys:
            allowed = ", ".join(sorted(keys))
            path = key if where == "contract" else f"{where}.{key}"
            raise Invalid(f"{path} is not known; allowed are: {allowed}.", field=path, allowed=allowed)
    return value


def _columns(value: Any) -> tuple[ColumnRules, ...]:
    table = _table(value, "columns")
    if len(table) > MOST_COLUMNS:
        raise Invalid(f"columns names more than {MOST_COLUMNS} columns.", field="columns")
    return tuple(_column(checked_text(name, "columns", 200, min_length=1), table[name]) for name in table)


def _column(name: str, value: Any) -> ColumnRules:
    where = f"columns.{name}"
    rules = _table(value, where, COLUMN_KEYS)
    kind = rules.get("type")
    if kind not in TYPES:
        allowed = ", ".join(TYPES)
        raise Invalid(f"{where}.type must be one of: {allowed}.", field=f"{where}.type", allowed=allowed)
    low, high = (_bound(rules.get(end), kind, f"{where}.{end}") for end in ("min", "max"))
    if low is not None and high is not None and low > high:
        raise Invalid(f"{where}.min is above its max.", field=f"{where}.min", allowed="at most max")
    return ColumnRules(
        name=name,
        type=str(kind),
        minimum=low,
        maximum=high,
        max_null_share=_share(rules.get("max_null_share", 0.0), f"{where}.max_null_share"),
        allowed=_allowed(rules.get("allowed"), str(kind), f"{where}.allowed"),
    )


def _bound(value: Any, kind: str, where: str) -> Any:
    if value is None:
        return None
    if kind not in ORDERED_TYPES:
        raise Invalid(
            f"{where}: a {kind} has no range.", field=where, allowed="integer, number, datetime or date"
        )
    if kind in {"datetime", "date"}:
        return _moment(value, kind, where)
    if not _is_number(value):
        raise Invalid(f"{where} must be a finite number.", field=where, allowed="a finite number")
    return value


def _moment(value: Any, kind: str, where: str) -> str:
    allowed = "an ISO 8601 date" if kind == "date" else "an ISO 8601 time with its zone"
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or (kind == "datetime" and moment.tzinfo is None):
        raise Invalid(f"{where} must be {allowed}.", field=where, allowed=allowed)
    return (
        moment.date().isoformat()
        if kind == "date"
        else moment.astimezone(UTC).isoformat(timespec="microseconds")
    )


def _share(value: Any, where: str) -> float:
    if not _is_number(value) or not 0 <= value <= 1:
        raise Invalid(f"{where} must be a share from 0 to 1.", field=where, allowed="0 to 1")
    return float(value)


def _allowed(value: Any, kind: str, where: str) -> tuple[Any, ...] | None:
    if value is None:
        return None
    fits = {"string": lambda each: isinstance(each, str), "boolean": lambda each: isinstance(each, bool)}
    fits |= {"integer": lambda each: isinstance(each, int) and not isinstance(each, bool)}
    if kind not in fits:
        raise Invalid(
            f"{where}: allowed values are for string, integer and boolean columns.",
            field=where,
            allowed="string, integer or boolean columns",
        )
    if not isinstance(value, list) or not value or len(value) > MOST_ALLOWED:
        raise Invalid(
            f"{where} must be a list of 1 to {MOST_ALLOWED} values.", field=where, allowed="a list of values"
        )
    for index, each in enumerate(value):
        if not fits[kind](each):
            raise Invalid(f"{where}[{index}] is no {kind}.", field=f"{where}[{index}]", allowed=kind)
    return tuple(value)


def _rows(value: Any) -> tuple[int | None, int | None]:
    rules = _table(value, "rows", {"min", "max"})
    for end in ("min", "max"):
        number = rules.get(end)
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 0):
            raise Invalid(
                f"rows.{end} must be a whole number, at least 0.", field=f"rows.{end}", allowed="0 or more"
            )
    low, high = rules.get("min"), rules.get("max")
    if low is not None and high is not None and low > high:
        raise Invalid("rows.min is above rows.max.", field="rows.min", allowed="at most rows.max")
    return low, high


def _unique(value: Any, columns: tuple[ColumnRules, ...]) -> tuple[tuple[str, ...], ...]:
    """Each entry is a list of columns that together occur once; a single name stands for a list of one."""
    if not isinstance(value, list):
        raise Invalid(
            "unique must be a list of lists of columns.", field="unique", allowed="[[column, …], …]"
        )
    known = {each.name for each in columns}
    keys = []
    for index, entry in enumerate(value):
        names = [entry] if isinstance(entry, str) else entry
        if not isinstance(names, list) or not names:
            raise Invalid(
                f"unique[{index}] must be a list of columns.", field=f"unique[{index}]", allowed="[column, …]"
            )
        for name in names:
            if name not in known:
                raise Invalid(
                    f"unique[{index}] names {name!r}, which is not among columns.",
                    field=f"unique[{index}]",
                    allowed="columns of this contract",
                )
        keys.append(tuple(names))
    return tuple(keys)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
