"""Reading an uploaded table: everything that could surprise a later step is refused here."""

from __future__ import annotations

import codecs
import csv
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.compute.csv_types import MISSING, first_odd_line, kept_as_text, odd_line_ends, other_separator

MOST_ROWS = 20_000_000
MOST_COLUMNS = 500
LONGEST_NAME = 200
LONGEST_TEXT = 100_000
REFUSED_IN_NAMES = {"Cc", "Cf", "Cs", "Co", "Cn"}
UNEXPLAINED = "A row cannot be split into the columns of the header; look for a quote that is never closed."
CHUNK = 1 << 20
BATCH_ROWS = 1 << 16
# The years 1 to 9999, in days around 1970; another time zone may take a day at either end.
FIRST_DAY, END_DAY = -719_162, 2_932_897
PER_DAY = {None: 1, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


class Unreadable(Exception):
    """The file is no table we take; ``field`` names the column at fault, if one is."""

    def __init__(self, message: str, field: str = "file", allowed: str = "") -> None:
        super().__init__(message)
        self.message, self.field, self.allowed = message, field, allowed


class Table:
    """A file's rows with plain column types, in batches, as often as asked.

    Parquet is decoded a batch at a time, so memory does not grow with the rows; CSV, which an
    upload's size limits, is read whole to learn its types. Unreadable says what is wrong and where.
    """

    def __init__(self, path: Path, source_format: str) -> None:
        if path.stat().st_size == 0:
            raise Unreadable("The file is empty.", allowed="a table with at least one row")
        self.path = path
        self.whole = None if source_format == "parquet" else _from_csv(path)
        rows = self.whole.height if self.whole is not None else _described(path).metadata.num_rows
        if rows == 0:
            raise Unreadable("The table has no rows.", allowed="a table with at least one row")

    def batches(self) -> Iterator[pl.DataFrame]:
        """The rows from the start; each value is checked on the way."""
        before = 0
        for batch in self._unchecked():
            for column in batch:
                _check_times(column, before)
            batch = batch.with_columns(_plain(column) for column in batch)
            for column in batch:
                _check_values(column, before)
            before += batch.height
            yield batch

    def write_parquet(self, target: Path) -> None:
        """Keep what came as CSV in the form that is kept."""
        assert self.whole is not None
        self.whole.write_parquet(target, compression="zstd", row_group_size=100_000)

    def _unchecked(self) -> Iterator[pl.DataFrame]:
        if self.whole is not None:
            yield from self.whole.iter_slices(BATCH_ROWS)
            return
        with pq.ParquetFile(self.path) as file:
            try:
                before = 0
                for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
                    yield pl.DataFrame(
                        [
                            _taken(*each, before)
                            for each in zip(batch.schema.names, batch.columns, strict=True)
                        ]
                    )
                    before += batch.num_rows
            except (pa.ArrowException, pl.exceptions.PolarsError, OSError, ValueError) as error:
                message = f"The Parquet file cannot be decoded: {_first_line(error)}"
                raise Unreadable(message, allowed="valid Parquet with UTF-8 text") from error


def _taken(name: str, column: pa.Array, before: int) -> pl.Series:
    """The column once its bytes are proven to be what they say; else a refusal that names it."""
    try:
        column.validate(full=True)
        taken = pl.from_arrow(column)
        assert isinstance(taken, pl.Series)
        return taken.alias(name)
    except (pa.ArrowException, pl.exceptions.PolarsError, ValueError) as error:
        row = next((row for row in range(len(column)) if not _is_valid(column.slice(row, 1))), None)
        where = f" in row {before + row + 1}" if row is not None else ""
        raise Unreadable(
            f"Column {name} cannot be decoded{where}: {_first_line(error)}",
            field=name,
            allowed="valid Parquet with UTF-8 text and known time zones",
        ) from error


def _is_valid(column: pa.Array) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowException:
        return False
    return True


def _described(path: Path) -> pq.ParquetFile:
    """The file's footer, refused unless every column is a plain one with a name of its own."""
    try:
        described = pq.ParquetFile(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Unreadable("The file is not readable as Parquet.", allowed="Parquet or CSV") from error
    _check_names([field.name for field in described.schema_arrow])
    if described.metadata.num_rows > MOST_ROWS:
        raise Unreadable(f"The table has more than {MOST_ROWS} rows.", allowed=f"at most {MOST_ROWS} rows")
    for field in described.schema_arrow:
        if not _is_plain(field.type):
            raise Unreadable(
                f"Column {field.name} has the type {field.type}, which is not a plain one.",
                field=field.name,
                allowed="numbers, text, booleans, dates and times",
            )
    return described


def _from_csv(path: Path) -> pl.DataFrame:
    _check_utf8(path)
    with path.open(encoding="utf-8-sig", newline="") as text:
        try:
            header = next(csv.reader(text, strict=True), [])
        except csv.Error as error:
            raise Unreadable(
                f"The header line is not CSV: {error}.", allowed="comma-separated names"
            ) from error
    if words := other_separator(header):
        raise Unreadable(
            f"The header is a single name, {header[0][:100]!r}; is the file separated by {words}?",
            allowed="columns separated by commas",
        )
    _check_names(header)
    try:
        table = pl.read_csv(
            path,
            infer_schema_length=None,
            try_parse_dates=True,
            raise_if_empty=False,
            null_values=MISSING,
            schema_overrides=kept_as_text(path),
        )
    except (pl.exceptions.PolarsError, ValueError) as error:
        why = first_odd_line(path, len(header)) or odd_line_ends(path) or UNEXPLAINED
        raise Unreadable(why, allowed="one row per line") from error
    if table.height > MOST_ROWS:
        raise Unreadable(f"The table has more than {MOST_ROWS} rows.", allowed=f"at most {MOST_ROWS} rows")
    if table.height == 0 and (why := odd_line_ends(path)):
        raise Unreadable(why, allowed="one row per line")
    return table.with_columns(_plain(column) for column in table)


def _check_utf8(path: Path) -> None:
    decoder, position = codecs.getincrementaldecoder("utf-8")("strict"), 0
    with path.open("rb") as content:
        while True:
            chunk = content.read(CHUNK)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                where = max(0, position + error.start)
                raise Unreadable(
                    f"The file is not UTF-8 text near byte {where}; lone surrogates do not count as text.",
                    allowed="UTF-8",
                ) from error
            if not chunk:
                return
            position += len(chunk)


def _check_names(names: list[str]) -> None:
    if not names:
        raise Unreadable("The table has no columns.", allowed="1 or more columns")
    if len(names) > MOST_COLUMNS:
        raise Unreadable(
            f"The table has more than {MOST_COLUMNS} columns.", allowed=f"at most {MOST_COLUMNS}"
        )
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not name.strip() or len(name) > LONGEST_NAME:
            raise Unreadable(
                f"The name of column {number} is blank or longer than {LONGEST_NAME} characters.",
                field=f"column {number}",
                allowed=f"1 to {LONGEST_NAME} characters",
            )
        if any(unicodedata.category(each) in REFUSED_IN_NAMES for each in name):
            raise Unreadable(
                f"The name of column {number} holds a control, zero-width or surrogate character.",
                field=f"column {number}",
                allowed="printable text",
            )
        if name in seen:
            raise Unreadable(f"Two columns are named {name}.", field=name, allowed="each name once")
        seen.add(name)


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    return any(
        check(kind)
        for check in (
            pa.types.is_boolean,
            pa.types.is_integer,
            pa.types.is_floating,
            pa.types.is_decimal,
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_date,
            pa.types.is_timestamp,
            pa.types.is_null,
        )
    )


def _plain(column: pl.Series) -> pl.Series:
    """Categories as text, decimals as numbers, times in microseconds."""
    if isinstance(column.dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    if column.dtype == pl.Int128:  # in CSV, beyond 64 bits: digit for digit
        return column.cast(pl.String)
    if isinstance(column.dtype, pl.Decimal):
        return column.cast(pl.Float64)
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.cast_time_unit("us")
    return column


def _check_times(column: pl.Series, before: int) -> None:
    """Before any conversion, which would overflow: Python and ISO 8601 end with the year 9999."""
    if not isinstance(column.dtype, pl.Date | pl.Datetime):
        return
    per_day = PER_DAY[getattr(column.dtype, "time_unit", None)]
    spare = int(getattr(column.dtype, "time_zone", None) not in {None, "UTC"})
    numbers = column.to_physical()
    first = max((FIRST_DAY + spare) * per_day, -(2**63))
    last = min((END_DAY - spare) * per_day - 1, 2**63 - 1)
    bad = ((numbers < first) | (numbers > last)).fill_null(value=False)
    if bad.any():
        raise Unreadable(
            f"Column {column.name} holds a time outside the years 1 to 9999 in row {before + _first(bad) + 1}.",
            field=column.name,
            allowed="the years 1 to 9999",
        )


def _check_values(column: pl.Series, before: int) -> None:
    if column.dtype.is_float():
        bad = (~column.is_finite()).fill_null(value=False)
        if bad.any():
            row = _first(bad)
            raise Unreadable(
                f"Column {column.name} holds {column[row]} in row {before + row + 1}; a missing value is null"
                " (in CSV an empty cell or NA), and other numbers are finite.",
                field=column.name,
                allowed="finite numbers or null",
            )
    if column.dtype == pl.String:
        _check_text(column, before)


def _check_text(column: pl.Series, before: int) -> None:
    bad = column.str.contains("\x00", literal=True).fill_null(value=False)
    if bad.any():
        message = f"Column {column.name} holds the character U+0000 in row {before + _first(bad) + 1}."
        raise Unreadable(message, field=column.name, allowed="text without U+0000")
    long = (column.str.len_bytes() > LONGEST_TEXT).fill_null(value=False)
    if long.any():
        message = f"Column {column.name} holds a text longer than {LONGEST_TEXT} bytes in row {before + _first(long) + 1}."
        raise Unreadable(message, field=column.name, allowed=f"at most {LONGEST_TEXT} bytes")


def _first(flags: pl.Series) -> int:
    position: Any = flags.arg_max()
    return int(position)


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0][:300] if text else type(error).__name__
