"""A version's signature, and whether a request's columns fit it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any

from deployments.serving.payload import Frame
from deployments.serving.refusal import Refusal

MOST_ERRORS = 10
MOST_UNSEEN = 5
INT32, INT64 = 2**31, 2**63


@dataclass(frozen=True)
class Column:
    """One input of a model, in MLflow's types."""

    name: str
    type: str
    required: bool = True


@dataclass(frozen=True)
class Checked:
    """Columns as the model takes them, and what was odd but bearable."""

    columns: dict[str, list[Any]]
    rows: int
    issues: list[dict[str, Any]] = field(default_factory=list)


class Schema:
    """Checks whole columns at a time: a type test per column, not per cell, when all is well.

    ``known`` holds the categories seen in training; an unknown one is an issue, and a refusal
    only for the columns in ``closed``.
    """

    def __init__(
        self,
        columns: list[Column],
        known: Mapping[str, list[str]] | None = None,
        closed: frozenset[str] = frozenset(),
    ) -> None:
        self.columns = columns
        self.names = [column.name for column in columns]
        self.known = {name: frozenset(values) for name, values in (known or {}).items()}
        self.closed = closed

    def check(self, frame: Frame) -> Checked:
        """The model's columns in its order, or a Refusal naming each column at fault."""
        if not self.columns:
            return Checked(
                {_name(name): _tensor(name, values) for name, values in frame.columns.items()}, frame.rows
            )
        errors: list[dict[str, Any]] = []
        issues: list[dict[str, Any]] = []
        checked: dict[str, list[Any]] = {}
        for column in self.columns:
            try:
                checked[column.name] = self._column(column, frame, issues)
            except _Misfit as misfit:
                errors.append(misfit.entry)
        if errors:
            raise misfits(errors)
        return Checked(checked, frame.rows, issues)

    def _column(self, column: Column, frame: Frame, issues: list[dict[str, Any]]) -> list[Any]:
        values = frame.columns.get(column.name)
        if values is None:
            if column.required:
                raise _Misfit(column, "missing_column", f"The column {column.name} is missing.")
            return [None] * frame.rows
        if frame.is_text:
            values = [_from_text(column, value, row) for row, value in enumerate(values)]
        if column.required and None in values:
            row = values.index(None)
            raise _Misfit(
                column, "missing_value", f"{column.name} has no value in row {row}, and the model needs one."
            )
        checked = CHECKS.get(column.type, _any)(column, values)
        if known := self.known.get(column.name):
            self._categories(column, known, checked, issues)
        return checked

    def _categories(
        self, column: Column, known: frozenset[str], values: list[Any], issues: list[dict[str, Any]]
    ) -> None:
        unseen = {value for value in set(values) - known if value is not None}
        if not unseen:
            return
        named = sorted(map(str, unseen))[:MOST_UNSEEN]
        if column.name in self.closed:
            raise _Misfit(
                column,
                "unknown_category",
                f"{column.name} holds {named[0]!r}; allowed: {', '.join(sorted(known)[:20])}.",
            )
        rows = sum(value in unseen for value in values)
        issues.append({"column": column.name, "code": "unknown_category", "values": named, "rows": rows})


class _Misfit(Exception):
    def __init__(self, column: Column, code: str, detail: str) -> None:
        super().__init__(detail)
        self.entry = {
            "pointer": f"/{column.name}",
            "column": column.name,
            "code": code,
            "detail": detail,
            "allowed": f"{column.type}{'' if column.required else ' or null'}",
        }


def misfits(errors: list[dict[str, Any]]) -> Refusal:
    """One 400 for all columns at fault."""
    detail = " ".join(entry["detail"] for entry in errors[:3])
    if len(errors) > 3:
        detail += f" And {len(errors) - 3} more."
    return Refusal(400, "schema_mismatch", detail, errors=errors[:MOST_ERRORS])


def schema_from(signature: Mapping[str, Any] | None, **known: Any) -> Schema:
    """From a version's MLflow signature, whether its parts are JSON text or parsed already."""
    inputs = (signature or {}).get("inputs") or []
    if isinstance(inputs, str):
        inputs = json.loads(inputs)
    columns = [
        Column(
            each["name"], each["type"] if isinstance(each["type"], str) else "any", each.get("required", True)
        )
        for each in inputs
        if each.get("name") is not None and each.get("type") != "tensor"
    ]
    return Schema(columns, **known)


def _wrong(column: Column, values: list[Any], fits: Callable[[Any], bool]) -> _Misfit:
    row, value = next((row, value) for row, value in enumerate(values) if not fits(value))
    shown = json.dumps(value)[:60]
    return _Misfit(column, "wrong_type", f"{column.name} must be {column.type}; row {row} holds {shown}.")


def _whole(most: int) -> Callable[[Column, list[Any]], list[Any]]:
    def fits(value: Any) -> bool:
        if isinstance(value, float):
            return value.is_integer() and -most <= value < most
        return value is None or (type(value) is int and -most <= value < most)

    def check(column: Column, values: list[Any]) -> list[Any]:
        if set(map(type, values)) == {int} and -most <= min(values) and max(values) < most:
            return values
        if not all(map(fits, values)):
            raise _wrong(column, values, fits)
        return [int(value) if isinstance(value, float) else value for value in values]

    return check


def _fits_number(value: Any) -> bool:
    if type(value) is int:
        return abs(value) < 2**1023
    return value is None or (isinstance(value, float) and isfinite(value))


def _number(column: Column, values: list[Any]) -> list[Any]:
    types = set(map(type, values))
    if types == {float} and all(map(isfinite, values)):
        return values
    if types <= {float, int, type(None)} and all(map(_fits_number, values)):
        return [float(value) if type(value) is int else value for value in values]
    raise _wrong(column, values, _fits_number)


def _fits_text(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, str) or "\x00" in value or len(value) > 10_000:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(column: Column, values: list[Any]) -> list[Any]:
    if not all(map(_fits_text, values)):
        raise _wrong(column, values, _fits_text)
    return values


def _boolean(column: Column, values: list[Any]) -> list[Any]:
    if not set(map(type, values)) <= {bool, type(None)}:
        raise _wrong(column, values, lambda value: value is None or isinstance(value, bool))
    return values


def _fits_time(value: Any) -> bool:
    if value is None:
        return True
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def _time(column: Column, values: list[Any]) -> list[Any]:
    if not all(map(_fits_time, values)):
        raise _wrong(column, values, _fits_time)
    return values


def _any(column: Column, values: list[Any]) -> list[Any]:
    """Types that the gateway does not look into (arrays, objects): the model says."""
    if not all(value is None or _clean(value) for value in values):
        raise _wrong(column, values, _clean)
    return values


def _clean(value: Any) -> bool:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, UnicodeEncodeError):
        return False
    return "\\u0000" not in text


def _tensor(name: str, values: list[Any]) -> list[Any]:
    column = Column(name, "double")
    try:
        return _number(column, values)
    except _Misfit as misfit:
        raise misfits([misfit.entry]) from None


def _name(name: str) -> str:
    if not name or len(name) > 256 or not _fits_text(name):
        detail = "A column name is 1 to 256 characters, without NUL and lone surrogates."
        raise Refusal(400, "invalid_column_name", detail)
    return name


def _from_text(column: Column, value: str, row: int) -> Any:
    """A CSV cell in the column's type; an empty cell is a missing value."""
    if value == "":
        return None
    try:
        if column.type in {"integer", "long"}:
            return int(value)
        if column.type in {"float", "double"}:
            return float(value)
        if column.type == "boolean":
            return {"true": True, "false": False}[value.lower()]
    except (ValueError, KeyError):
        raise _Misfit(
            column, "wrong_type", f"{column.name} must be {column.type}; row {row} holds {value[:60]!r}."
        ) from None
    return value


CHECKS: dict[str, Callable[[Column, list[Any]], list[Any]]] = {
    "integer": _whole(INT32),
    "long": _whole(INT64),
    "float": _number,
    "double": _number,
    "string": _text,
    "boolean": _boolean,
    "datetime": _time,
}
