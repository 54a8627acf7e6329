"""What a table's columns hold: counts, nulls, quantiles, most frequent values, histogram."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl

from pipelines.compute.sketching import COUNTED_TEXTS, LONGEST_SHOWN, Distinct, Frequent, Numbers

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BARS = 20
MOST_TOP = 20
FEW_VALUES = 50
LAST_SECOND = 253_402_300_799


def kind_of(dtype: pl.DataType) -> str:
    """A column's type in the words of contracts."""
    if dtype.is_integer():
        return "integer"
    if dtype.is_float():
        return "number"
    if dtype == pl.Boolean:
        return "boolean"
    if dtype == pl.Date:
        return "date"
    if isinstance(dtype, pl.Datetime):
        return "datetime"
    return "string"


class Profile:
    """Statistics per column of a table that comes in batches; each row is looked at once."""

    def __init__(self) -> None:
        self.rows = 0
        self.columns: dict[str, _Column] = {}

    def add(self, batch: pl.DataFrame) -> None:
        self.rows += batch.height
        for column in batch:
            if column.name not in self.columns:
                self.columns[column.name] = _column_of(column.name, column.dtype)
            self.columns[column.name].add(column)

    def schema(self) -> list[dict[str, Any]]:
        """Name, type and whether a value is missing, per column in the table's order."""
        return [
            {"name": name, "type": column.kind, "nullable": column.nulls > 0}
            for name, column in self.columns.items()
        ]

    def told(self) -> dict[str, Any]:
        """Everything as plain JSON."""
        return {"rows": self.rows, "columns": [column.told() for column in self.columns.values()]}


def profile(batches: pl.DataFrame | Iterable[pl.DataFrame]) -> dict[str, Any]:
    """The statistics of a table, whole or in batches."""
    seen = Profile()
    for batch in [batches] if isinstance(batches, pl.DataFrame) else batches:
        seen.add(batch)
    return seen.told()


def _column_of(name: str, dtype: pl.DataType) -> _Column:
    kind = kind_of(dtype)
    if kind in {"integer", "number"}:
        return _NumberColumn(name, kind)
    return (_TimeColumn if kind in {"datetime", "date"} else _TextColumn)(name, kind)


class _Column:
    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind
        self.count = self.nulls = 0
        self.distinct = Distinct()

    def add(self, column: pl.Series) -> None:
        nulls = column.null_count()
        self.nulls += nulls
        self.count += len(column) - nulls
        present = column.drop_nulls() if nulls else column
        if len(present):
            self.distinct.add(present)
            self.add_present(present)

    def add_present(self, present: pl.Series) -> None:
        raise NotImplementedError

    def told(self) -> dict[str, Any]:
        rows = self.count + self.nulls
        about = {
            "name": self.name,
            "type": self.kind,
            "count": self.count,
            "nulls": self.nulls,
            "null_share": self.nulls / rows if rows else 0.0,
            "distinct": self.distinct.count(),
        }
        if self.distinct.is_estimate:
            about["is_estimate"] = True
        return about | self.facts()

    def facts(self) -> dict[str, Any]:
        raise NotImplementedError


class _NumberColumn(_Column):
    def __init__(self, name: str, kind: str) -> None:
        super().__init__(name, kind)
        self.numbers, self.frequent = Numbers(), Frequent(FEW_VALUES)

    def add_present(self, present: pl.Series) -> None:
        self.numbers.add(present.to_numpy())
        if not self.frequent.is_over:
            self.frequent.add(present)

    def facts(self) -> dict[str, Any]:
        seen = self.numbers
        if not seen.count:
            return {"quantiles": {}, "histogram": None, "top": []}
        found = seen.quantiles(QUANTILES)
        about = {
            "min": _plain(seen.low),
            "max": _plain(seen.high),
            "mean": _plain(seen.mean),
            "std": _plain(seen.std()),
            "quantiles": {str(share): _plain(value) for share, value in zip(QUANTILES, found, strict=True)},
            "histogram": _histogram(seen),
        }
        if not self.frequent.is_over:
            top = self.frequent.top(MOST_TOP)
            about["top"] = [{"value": _plain(value), "rows": rows} for value, rows in top]
        return about


class _TimeColumn(_Column):
    def __init__(self, name: str, kind: str) -> None:
        super().__init__(name, kind)
        self.numbers = Numbers()
        self.low: Any = None
        self.high: Any = None

    def add_present(self, present: pl.Series) -> None:
        low, high = present.min(), present.max()
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)
        self.numbers.add(present.cast(pl.Datetime("us")).dt.timestamp("us").to_numpy())

    def facts(self) -> dict[str, Any]:
        if not self.numbers.count:
            return {"histogram": None}
        bars = _histogram(self.numbers)
        edges = [_moment(edge) for edge in bars["edges"]]
        return {
            "min": as_text(self.low),
            "max": as_text(self.high),
            "histogram": {"edges": edges, "counts": bars["counts"]},
        }


class _TextColumn(_Column):
    def __init__(self, name: str, kind: str) -> None:
        super().__init__(name, kind)
        self.frequent = Frequent(COUNTED_TEXTS)

    def add_present(self, present: pl.Series) -> None:
        self.frequent.add(present.cast(pl.String).str.slice(0, LONGEST_SHOWN))

    def facts(self) -> dict[str, Any]:
        return {"top": [{"value": value, "rows": rows} for value, rows in self.frequent.top(MOST_TOP)]}


def _histogram(numbers: Numbers) -> dict[str, Any]:
    low, high = float(numbers.low), float(numbers.high)
    if low == high:
        return {"edges": [low, high], "counts": [numbers.count]}
    edges = np.linspace(low, high, BARS + 1)
    if not np.isfinite(edges).all():  # the span itself overflows
        edges = np.linspace(low / 2, high / 2, BARS + 1) * 2
    return {"edges": [float(edge) for edge in edges], "counts": numbers.counts_between(edges)}


def as_text(value: Any) -> str:
    """A date or time as ISO 8601; one without a zone counts as UTC."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def _moment(microseconds: float) -> str:
    seconds = min(microseconds / 1_000_000, LAST_SECOND)  # dividing may round up into the year 10000
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat(timespec="seconds")


def _plain(value: Any) -> Any:
    """JSON numbers: whole ones of 64 bits exact, others finite."""
    if isinstance(value, np.integer | int) and -(2**63) <= value < 2**63:
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None
