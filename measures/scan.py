"""One pass over Arrow or Parquet rows into sketches, with memory that does not grow with rows.

Reading is pyarrow's: batch by batch, strings as dictionaries, so that a category is hashed once
per batch and not once per row. Windows are cut from one pass too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from measures.frames import MOST_CATEGORIES, CategoricalFrame, NumericFrame, TableFrame, numeric_frame
from measures.sketches import CategoricalSketch, NumericSketch, TableSketch

BATCH_ROWS = 1 << 17
SAMPLE_ROWS = 200_000

Rows: TypeAlias = str | Path | pa.Table | pa.RecordBatch | Iterable[pa.RecordBatch] | Sequence[Path]


def batches(rows: Rows, columns: Iterable[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Record batches of a Parquet file (or several), an Arrow table, or batches; only ``columns``.

    A column that the rows lack is left out. Raises pyarrow.ArrowInvalid for unreadable files.
    """
    wanted = None if columns is None else list(columns)
    if isinstance(rows, str | Path):
        with pq.ParquetFile(rows, memory_map=True) as file:
            names = [each for each in file.schema_arrow.names if wanted is None or each in wanted]
            texts = [each for each in names if _is_text(file.schema_arrow.field(each).type)]
        with pq.ParquetFile(rows, memory_map=True, read_dictionary=texts) as file:
            yield from file.iter_batches(batch_size=BATCH_ROWS, columns=names, use_threads=False)
        return
    if isinstance(rows, pa.RecordBatch):
        rows = [rows]
    elif isinstance(rows, list | tuple) and isinstance(rows[0], Path):
        for path in rows:
            yield from batches(path, columns)
        return
    elif isinstance(rows, pa.Table):
        rows = rows.to_batches(max_chunksize=BATCH_ROWS)
    batch: pa.RecordBatch
    for batch in cast("Iterable[pa.RecordBatch]", rows):
        yield (
            batch if wanted is None else batch.select([each for each in batch.schema.names if each in wanted])
        )


def frame_of(
    rows: str | Path | pa.Table | Sequence[Path],
    columns: Iterable[str] | None = None,
    *,
    ranges: Mapping[str, tuple[float | None, float | None]] | None = None,
    categories: Mapping[str, Iterable[str]] | None = None,
) -> TableFrame:
    """The frame that reference rows give: bins of equal share, ranges, categories.

    ``ranges`` and ``categories`` (of a data contract) replace what the rows show. Bins come
    from an evenly spread sample of at most about 200,000 rows; ranges and categories from all.
    """
    ranges, categories = ranges or {}, categories or {}
    samples: dict[str, list[NDArray[np.float64]]] = {}
    limits: dict[str, tuple[float, float]] = {}
    values: dict[str, dict[str, int]] = {}
    step = max(1, _row_count(rows) // SAMPLE_ROWS)
    for batch in batches(rows, columns):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if not is_numeric(column.type):
                _add_counts(values.setdefault(name, {}), counts_of(column)[0])
                continue
            numbers = numbers_of(column)[0]
            samples.setdefault(name, []).append(numbers[::step])
            finite = numbers[np.isfinite(numbers)]
            if finite.size:
                low, high = limits.get(name, (np.inf, -np.inf))
                limits[name] = min(low, float(finite.min())), max(high, float(finite.max()))
    found: dict[str, NumericFrame | CategoricalFrame] = {}
    for name, parts in samples.items():
        lowest, highest = ranges.get(name, (None, None))
        seen: tuple[float | None, float | None] = limits.get(name, (None, None))
        found[name] = numeric_frame(
            np.concatenate(parts),
            low=seen[0] if lowest is None else lowest,
            high=seen[1] if highest is None else highest,
        )
    for name, counts in values.items():
        listed = categories[name] if name in categories else _commonest(counts)
        is_open = name not in categories and len(counts) > MOST_CATEGORIES
        found[name] = CategoricalFrame(tuple(sorted(listed)), is_open)
    return TableFrame(found)


def sketch_of(rows: Rows, frame: TableFrame) -> TableSketch:
    """One sketch of all rows. A column the rows lack counts as missing in each of them."""
    sketch = TableSketch(frame)
    for batch in batches(rows, frame.columns):
        add_batch(sketch, batch)
    return sketch


def sketch_windows(rows: Rows, frame: TableFrame, window: str) -> dict[Any, TableSketch]:
    """A sketch per value of the column ``window`` (say, a day), in one pass; null values skipped."""
    found: dict[Any, TableSketch] = {}
    for batch in batches(rows, [window, *frame.columns]):
        keys = (
            pc.dictionary_encode(batch.column(window))
            if not _is_dictionary(batch, window)
            else batch.column(window)
        )
        codes = np.asarray(keys.indices.fill_null(-1))
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(keys.dictionary) + 1))
        data = batch.drop_columns([window]) if window not in frame.columns else batch
        for number, key in enumerate(keys.dictionary.to_pylist()):
            mine = order[starts[number] : starts[number + 1]]
            if mine.size and key is not None:
                part = data if mine.size == batch.num_rows else data.take(pa.array(mine))
                add_batch(found.setdefault(key, TableSketch(frame)), part)
    return found


def add_batch(sketch: TableSketch, batch: pa.RecordBatch) -> None:
    """Count a batch's rows into a sketch."""
    for name, column in sketch.columns.items():
        place = batch.schema.get_field_index(name)
        if place < 0:
            _add_missing(column, batch.num_rows)
        elif isinstance(column, NumericSketch):
            column.add(*numbers_of(batch.column(place)))
        else:
            column.add(*counts_of(batch.column(place)))


def _add_missing(column: NumericSketch | CategoricalSketch, rows: int) -> None:
    if isinstance(column, NumericSketch):
        column.add(np.empty(0), nulls=rows)
    else:
        column.add({}, nulls=rows)


def is_numeric(kind: pa.DataType) -> bool:
    """Numbers and points in time; truth values are categories."""
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_temporal(kind)
    )


def numbers_of(column: pa.Array) -> tuple[NDArray[np.float64], int]:
    """A column's values as doubles without nulls, and the number of nulls.

    Text becomes the number it spells, NaN if it spells none; times become seconds since 1970.
    """
    nulls = column.null_count
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if _is_text(column.type) or pa.types.is_boolean(column.type):
        return np.array([_number(each) for each in column.drop_null().to_pylist()], np.float64), nulls
    if pa.types.is_temporal(column.type) and not pa.types.is_duration(column.type):
        column = column.cast(pa.timestamp("us"), safe=False).cast(pa.int64())
        return column.drop_null().to_numpy(zero_copy_only=False) / 1e6, nulls
    if nulls:
        column = column.drop_null()
    if not pa.types.is_floating(column.type):
        column = column.cast(pa.float64(), safe=False)
    return column.to_numpy(zero_copy_only=False).astype(np.float64, copy=False), nulls


def counts_of(column: pa.Array) -> tuple[dict[str, int], int]:
    """How many rows have each value (as text), and the number of nulls."""
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    codes = column.indices.drop_null() if column.indices.null_count else column.indices
    rows = np.bincount(np.asarray(codes), minlength=len(column.dictionary))
    counts: dict[str, int] = {}
    nulls = len(column) - len(codes)
    for value, number in zip(column.dictionary.to_pylist(), rows.tolist(), strict=True):
        if value is None:
            nulls += number
        elif number:
            counts[_text(value)] = counts.get(_text(value), 0) + number
    return counts, nulls


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _commonest(counts: dict[str, int]) -> list[str]:
    return sorted(counts, key=lambda value: (-counts[value], value))[:MOST_CATEGORIES]


def _add_counts(total: dict[str, int], counts: dict[str, int]) -> None:
    for value, rows in counts.items():
        total[value] = total.get(value, 0) + rows


def _row_count(rows: str | Path | pa.Table | Sequence[Path]) -> int:
    if isinstance(rows, pa.Table):
        return rows.num_rows
    if isinstance(rows, list | tuple):
        return sum(map(_row_count, rows))
    return int(pq.read_metadata(rows).num_rows)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind))


def _is_dictionary(batch: pa.RecordBatch, name: str) -> bool:
    return bool(pa.types.is_dictionary(batch.column(name).type))
