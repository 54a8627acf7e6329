"""The rows of a query as a Parquet file, a few at a time; the database is asked in a way that cannot write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

BATCH_ROWS = 10_000
CONNECT_SECONDS = 10
INTEGERS = {20, 21, 23, 26}
NUMBERS = {700, 701, 1700}
BOOLEAN, DATE, TIMESTAMP, TIMESTAMP_WITH_ZONE = 16, 1082, 1114, 1184


class Unqueryable(Exception):
    """The query gave no table; the sentence is for whoever asked."""


def write_query(
    address: str,
    query: str,
    path: Path,
    *,
    timeout_seconds: int,
    most_rows: int,
    most_bytes: int,
    watch: Callable[[], None],
) -> int:
    """Write the rows to ``path`` and answer how many; the same rows give the same bytes.

    One statement alone is sent (the extended protocol takes no second one) in a transaction that
    the server holds read-only and ends after ``timeout_seconds``.
    """
    options = f"-c default_transaction_read_only=on -c statement_timeout={timeout_seconds * 1000}"
    try:
        with psycopg.connect(address, options=options, connect_timeout=CONNECT_SECONDS) as connection:
            connection.read_only = True
            with connection.cursor() as cursor:
                return _write(cursor, query, path, most_rows, most_bytes, watch)
    except psycopg.OperationalError as error:
        # The server's own words may carry its address: say what, not where.
        what = "took too long" if isinstance(error, psycopg.errors.QueryCanceled) else "could not be reached"
        raise Unqueryable(f"The source {what}.") from error
    except psycopg.Error as error:
        raise Unqueryable(
            f"The source refuses the query: {error.diag.message_primary or type(error).__name__}."
        ) from error


def _write(
    cursor: psycopg.Cursor[Any],
    query: str,
    path: Path,
    most_rows: int,
    most_bytes: int,
    watch: Callable[[], None],
) -> int:
    # Closed on every way out: a stream left open holds the connection's lock for ever.
    with closing(cursor.stream(query.encode(), size=BATCH_ROWS)) as rows:
        first = next(rows, None)
        if first is None or cursor.description is None:
            raise Unqueryable("The query gives no rows.")
        schema = _schema(cursor.description)
        total = 0
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in _batches(chain([first], rows)):
                watch()
                total += len(batch)
                if total > most_rows:
                    raise Unqueryable(f"The query gives more than {most_rows:,} rows.")
                writer.write_batch(_arrow(batch, schema))
                if path.stat().st_size > most_bytes:
                    raise Unqueryable(f"The query gives more than {most_bytes:,} bytes.")
    return total


def _schema(description: Sequence[psycopg.Column]) -> pa.Schema:
    names = [column.name for column in description]
    if len(set(names)) != len(names):
        raise Unqueryable("The query names a column twice; give each its own name with AS.")
    return pa.schema([(column.name, _type_of(column.type_code)) for column in description])


def _batches(rows: Iterator[Any]) -> Iterator[Sequence[Any]]:
    while batch := list(islice(rows, BATCH_ROWS)):
        yield batch


def _type_of(code: int) -> pa.DataType:
    if code in INTEGERS:
        return pa.int64()
    if code in NUMBERS:
        return pa.float64()
    plain = {BOOLEAN: pa.bool_(), DATE: pa.date32(), TIMESTAMP: pa.timestamp("us")}
    return plain.get(code, pa.timestamp("us", "UTC") if code == TIMESTAMP_WITH_ZONE else pa.string())


def _arrow(rows: Sequence[Any], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [
        pa.array([_plain(value, field.type) for value in column], field.type)
        for field, column in zip(schema, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _plain(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if isinstance(value, Decimal):
        return float(value)
    return value if not pa.types.is_string(kind) or isinstance(value, str) else str(value)
