"""What a table's columns hold: counts, nulls, quantiles, most frequent values, histogram."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BARS = 20
MOST_TOP = 20
LONGEST_SHOWN = 200
FEW_VALUES = 50


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


def schema_of(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Name, type and whether a value is missing, per column in the table's order."""
    return [
        {"name": column.name, "type": kind_of(column.dtype), "nullable": column.null_count() > 0}
        for column in table
    ]


def profile(table: pl.DataFrame) -> dict[str, Any]:
    """Statistics per column; the table is read once, each column is sorted or counted once."""
    return {"rows": table.height, "columns": [_column(column) for column in table]}


def _column(column: pl.Series) -> dict[str, Any]:
    kind, nulls = kind_of(column.dtype), column.null_count()
    about: dict[str, Any] = {
        "name": column.name,
        "type": kind,
        "count": len(column) - nulls,
        "nulls": nulls,
        "null_share": nulls / len(column) if len(column) else 0.0,
    }
    present = column.drop_nulls()
    if kind in {"integer", "number"}:
        about |= _numbers(present)
    elif kind in {"datetime", "date"}:
        about |= _times(present)
    else:
        counts = present.cast(pl.String).value_counts(sort=True, name="rows")
        about |= {"distinct": counts.height, "top": _top(counts)}
    return about


def _numbers(present: pl.Series) -> dict[str, Any]:
    ordered = np.sort(present.to_numpy())
    if not ordered.size:
        return {"distinct": 0, "quantiles": {}, "histogram": None, "top": []}
    values, counts = np.unique(ordered, return_counts=True)
    about = {
        "distinct": int(values.size),
        "min": _plain(ordered[0]),
        "max": _plain(ordered[-1]),
        "mean": _plain(float(ordered.mean())),
        "std": _plain(float(ordered.std())),
        "quantiles": {str(each): _plain(float(np.quantile(ordered, each))) for each in QUANTILES},
        "histogram": _histogram(ordered.astype(np.float64)),
    }
    if values.size <= FEW_VALUES:
        falling = np.argsort(-counts, kind="stable")[:MOST_TOP]
        about["top"] = [{"value": _plain(values[at]), "rows": int(counts[at])} for at in falling]
    return about


def _times(present: pl.Series) -> dict[str, Any]:
    if not len(present):
        return {"distinct": 0, "histogram": None}
    moments = present.cast(pl.Datetime("us")).dt.timestamp("us").to_numpy()
    bars = _histogram(np.sort(moments).astype(np.float64))
    edges = [_moment(edge) for edge in bars["edges"]]
    return {
        "distinct": int(np.unique(moments).size),
        "min": as_text(present.min()),
        "max": as_text(present.max()),
        "histogram": {"edges": edges, "counts": bars["counts"]},
    }


def _histogram(ordered: Any) -> dict[str, Any]:
    low, high = float(ordered[0]), float(ordered[-1])
    if low == high:
        return {"edges": [low, high], "counts": [int(ordered.size)]}
    if not math.isfinite(high - low):  # the span itself overflows: draw halves
        low, high = low / 2, high / 2
        ordered = ordered / 2
    counts, edges = np.histogram(ordered, bins=BARS, range=(low, high))
    return {"edges": [float(edge) for edge in edges], "counts": [int(count) for count in counts]}


def _top(counts: pl.DataFrame) -> list[dict[str, Any]]:
    name = counts.columns[0]
    rows = counts.sort(["rows", name], descending=[True, False]).head(MOST_TOP)
    return [{"value": row[name][:LONGEST_SHOWN], "rows": row["rows"]} for row in rows.iter_rows(named=True)]


def as_text(value: Any) -> str:
    """A date or time as ISO 8601; one without a zone counts as UTC."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else str(value)


def _moment(microseconds: float) -> str:
    return datetime.fromtimestamp(microseconds / 1_000_000, tz=UTC).isoformat(timespec="seconds")


def _plain(value: Any) -> Any:
    """JSON numbers: whole ones exact, others finite."""
    if isinstance(value, np.integer | int):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None
