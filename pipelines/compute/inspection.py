"""The program that looks at one uploaded table: ``python -m pipelines.compute.inspection``.

Runs in a process of its own with limits. Reads a JSON request on standard input, writes a JSON
answer on standard output, and the table as Parquet beside it when it came as something else.
"""

from __future__ import annotations

from pipelines.confinement import confine

if __name__ == "__main__":
    confine()

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.compute.checking import check
from pipelines.compute.profile import as_text, kind_of, profile, schema_of
from pipelines.compute.reading import Unreadable, read_table
from pipelines.contracts import parse


def inspect(request: dict[str, Any]) -> dict[str, Any]:
    """Read, describe and check the file of ``request``: path, format, columns of note, contract."""
    table = read_table(Path(request["path"]), request["format"])
    answer: dict[str, Any] = {"rows": table.height, "schema": schema_of(table), "results": None}
    answer |= _event_times(table, request.get("event_time_column", ""))
    _require_columns(table, request.get("key_columns", []), "key_columns")
    if request.get("folder"):
        target = Path(request["folder"]) / "table.parquet"
        table.write_parquet(target, compression="zstd", row_group_size=100_000)
    if request.get("contract"):
        answer["results"] = check(table, parse(request["contract"]))
    if request.get("profile", True):
        answer["profile"] = profile(table)
    return answer


def _event_times(table: pl.DataFrame, name: str) -> dict[str, Any]:
    if not name:
        return {"event_time_from": None, "event_time_to": None}
    _require_columns(table, [name], "event_time_column")
    column = table[name]
    if kind_of(column.dtype) not in {"datetime", "date"}:
        raise Unreadable(
            f"The event time column {name} holds no times.", field=name, allowed="a date or time column"
        )
    if column.null_count() == len(column):
        return {"event_time_from": None, "event_time_to": None}
    times = column.cast(pl.Datetime("us", getattr(column.dtype, "time_zone", None)))
    return {"event_time_from": as_text(times.min()), "event_time_to": as_text(times.max())}


def _require_columns(table: pl.DataFrame, names: list[str], field: str) -> None:
    for name in names:
        if name not in table.columns:
            raise Unreadable(
                f"The table has no column {name}, which the data set names as {field}.",
                field=name,
                allowed="every column that the data set names",
            )


def main() -> int:
    request = json.loads(sys.stdin.read())
    try:
        answer = inspect(request)
    except Unreadable as error:
        refused = {"message": error.message, "field": error.field, "allowed": error.allowed}
        answer = {"unreadable": refused}
    print(json.dumps(answer, allow_nan=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
