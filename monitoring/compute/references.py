"""The reference of a version from its training data: frame, sketch and what pages draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from measures.frames import Frame, TableFrame
from measures.scan import frame_of, sketch_of
from measures.sketches import CategoricalSketch, Sketch, TableSketch
from monitoring.compute.segments import INPUT

SCORE = "score"
MOST_BARS = 12


@dataclass
class MadeReference:
    """What is kept of a version's training data."""

    frame: TableFrame
    sketch: TableSketch
    profile: dict[str, dict[str, Any]]
    rows: int


def make_reference(
    paths: Sequence[Path],
    inputs: Iterable[str],
    *,
    ranges: Mapping[str, tuple[float | None, float | None]] | None = None,
    categories: Mapping[str, Iterable[str]] | None = None,
    scores: list[float] | None = None,
) -> MadeReference:
    """Sketch the columns of Parquet files that are inputs of the version, and its scores.

    Columns are named as in the request log. ``ranges`` and ``categories`` come from the data
    contract. Columns that the files lack are left out: they cannot drift from what is unknown.
    """
    frame = frame_of(list(paths), set(inputs), ranges=ranges, categories=categories)
    columns = sketch_of(list(paths), frame).columns
    frames: dict[str, Frame] = {INPUT + name: each for name, each in frame.columns.items()}
    sketches: dict[str, Sketch] = {INPUT + name: each for name, each in columns.items()}
    if scores is not None:
        scored = pa.table({SCORE: pa.array(scores, pa.float64())})
        score_frame = frame_of(scored)
        frames |= score_frame.columns
        sketches |= sketch_of(scored, score_frame).columns
    profile = {name: profile_of(column) for name, column in sketches.items()}
    whole = TableFrame(frames)
    return MadeReference(
        whole, TableSketch(whole, sketches), profile, sum(pq.read_metadata(path).num_rows for path in paths)
    )


def profile_of(column: Sketch) -> dict[str, Any]:
    """A column as pages show it; ``bars`` are the edges or the values that are drawn."""
    found: dict[str, Any] = {
        "rows": column.rows,
        "missing": column.missing,
        "distinct": column.distinct.estimate(),
    }
    if isinstance(column, CategoricalSketch):
        bars = drawn_categories(column)
        return {**found, "kind": "categorical", "bars": bars, "counts": bars_of(column, bars)}
    low, median, high = column.low, column.quantiles([0.5])[0], column.high
    return {
        **found,
        "kind": "numeric",
        "low": low,
        "median": median,
        "high": high,
        "expected": [column.frame.low, column.frame.high],
        "bars": list(column.frame.bars),
        "counts": column.bars(),
    }


def drawn_categories(column: CategoricalSketch) -> list[str]:
    """The commonest values of the reference."""
    return sorted(column.counts, key=lambda value: (-column.counts[value], value))[:MOST_BARS]


def bars_of(column: Sketch, drawn: list[Any]) -> list[int]:
    """Counts for drawing; for categories one per drawn value and one for all others."""
    if not isinstance(column, CategoricalSketch):
        return column.bars()
    counts = [column.counts.get(value, 0) for value in drawn]
    return [*counts, column.present - sum(counts)]


def stored(frame: Mapping[str, Any], sketch: bytes) -> tuple[TableFrame, TableSketch]:
    """A reference's frame and sketch from its row."""
    table_frame = TableFrame.from_json(dict(frame))
    return table_frame, TableSketch.from_bytes(table_frame, bytes(sketch))
