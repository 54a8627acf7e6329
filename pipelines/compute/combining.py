"""The program that makes one table of several: ``python -m pipelines.compute.combining``.

Runs in a process of its own with limits. Reads a JSON request on standard input; writes the rows
of all files, in the order given, as one Parquet file that carries their names and digests.
"""

from __future__ import annotations

from pipelines.confinement import confine

if __name__ == "__main__":
    confine()

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.compute.profile import kind_of
from pipelines.compute.reading import MOST_ROWS, Table, Unreadable

METADATA = b"controlplane.objects"


def combine(request: dict[str, Any]) -> dict[str, Any]:
    """One file of ``request``: folders ``from`` and ``to``, and ``objects`` as they are numbered there.

    The metadata make the digest of the whole speak of names as well as of content.
    """
    objects = request["objects"]
    said = [{"name": each["name"], "sha256": each["sha256"], "size": each["size"]} for each in objects]
    metadata = {METADATA: json.dumps(said, separators=(",", ":")).encode()}
    target, rows = Path(request["to"]) / "table.parquet", 0
    writer: pq.ParquetWriter | None = None
    try:
        for table in _rows(Path(request["from"]), objects):
            if writer is None:
                writer = pq.ParquetWriter(target, table.schema.with_metadata(metadata), compression="zstd")
            rows += table.num_rows
            if rows > MOST_ROWS:
                raise Unreadable(f"The objects hold more than {MOST_ROWS} rows.")
            writer.write_table(table.replace_schema_metadata(metadata))
    finally:
        if writer is not None:
            writer.close()
    return {"rows": rows}


def _rows(folder: Path, objects: list[dict[str, Any]]) -> Iterator[pa.Table]:
    first: pl.Schema | None = None
    for number, about in enumerate(objects):
        try:
            for batch in Table(folder / str(number), about["format"]).batches():
                first = first or batch.schema
                _require_same(first, batch.schema, objects[0]["name"])
                yield batch.select(first.names()).to_arrow(compat_level=pl.CompatLevel.oldest())
        except Unreadable as error:
            raise Unreadable(f"{about['name']}: {error.message}", error.field, error.allowed) from error


def _require_same(first: pl.Schema, schema: pl.Schema, name: str) -> None:
    """The same columns of the same types as in the first object, in whatever order."""
    for column in first:
        if column not in schema:
            raise Unreadable(f"The column {column} of {name} is missing here.", column, "one schema")
        if schema[column] != first[column]:
            raise Unreadable(
                f"The column {column} is {_word(schema[column], first[column])} here and {_word(first[column], schema[column])} in {name}.",
                column,
                "one schema",
            )
    for column in schema:
        if column not in first:
            raise Unreadable(f"The column {column} is not in {name}.", column, "one schema")


def _word(kind: pl.DataType, other: pl.DataType) -> str:
    """The word people know, or the exact one where that is the same for both."""
    return kind_of(kind) if kind_of(kind) != kind_of(other) else str(kind)


def main() -> int:
    request = json.loads(sys.stdin.read())
    try:
        answer = combine(request)
    except Unreadable as error:
        answer = {"unreadable": {"message": error.message, "field": error.field, "allowed": error.allowed}}
    print(json.dumps(answer, allow_nan=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
