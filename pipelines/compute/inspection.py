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

from pipelines.compute.checking import Checking, check
from pipelines.compute.profile import Profile
from pipelines.compute.reading import Table, Unreadable
from pipelines.contracts import parse


def inspect(request: dict[str, Any]) -> dict[str, Any]:
    """Read, describe and check the file of ``request``: path, format, columns of note, contract."""
    table = Table(Path(request["path"]), request["format"])
    if not request.get("profile", True):
        return {"results": check(table.batches, parse(request["contract"]))}
    seen = Profile()
    checking = Checking(parse(request["contract"])) if request.get("contract") else None
    for batch in table.batches():
        if not seen.rows:
            _require_columns(batch.columns, request.get("key_columns", []), "key_columns")
        seen.add(batch)
        if checking is not None:
            checking.add(batch)
    answer: dict[str, Any] = {"rows": seen.rows, "schema": seen.schema(), "profile": seen.told()}
    answer |= _event_times(answer["profile"], request.get("event_time_column", ""))
    if request.get("folder"):
        table.write_parquet(Path(request["folder"]) / "table.parquet")
    return answer | {"results": checking.results(table.batches) if checking is not None else None}


def _event_times(profile: dict[str, Any], name: str) -> dict[str, Any]:
    if not name:
        return {"event_time_from": None, "event_time_to": None}
    columns = {each["name"]: each for each in profile["columns"]}
    _require_columns(list(columns), [name], "event_time_column")
    if columns[name]["type"] not in {"datetime", "date"}:
        raise Unreadable(
            f"The event time column {name} holds no times.", field=name, allowed="a date or time column"
        )
    return {"event_time_from": columns[name].get("min"), "event_time_to": columns[name].get("max")}


def _require_columns(known: list[str], names: list[str], field: str) -> None:
    for name in names:
        if name not in known:
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
