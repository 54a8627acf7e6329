"""Mergeable sketches of columns and tables: drift, data issues and pages read these, not rows.

Every field is an integer count, a minimum, a maximum or a set, so merging is associative,
commutative and exact: the sketch of two halves merged is the sketch of the whole.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from measures import spread
from measures.distinct import KEPT, DistinctCounter, hash_numbers, hash_text
from measures.frames import CategoricalFrame, Frame, NumericFrame, TableFrame

CHUNK = 1 << 16
Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


def _zeros(size: int) -> Numbers:
    return np.zeros(size, np.int64)


class NumericSketch:
    """One numeric column: ``rows`` of which ``missing`` (null or NaN), ``infinite``, and
    ``below`` / ``above`` the frame's range; ``bins`` counts finite values on the frame's edges."""

    def __init__(self, frame: NumericFrame) -> None:
        self.frame = frame
        self.rows = self.missing = self.infinite = self.below = self.above = 0
        self.low: float | None = None
        self.high: float | None = None
        self.bins = _zeros(len(frame.edges) + 1)
        self.spread = _zeros(spread.BUCKETS)
        self.distinct = DistinctCounter()

    def add(self, values: Floats, nulls: int = 0) -> None:
        """Count the values of a batch (NaN is missing) and how many more rows were null."""
        edges = np.asarray(self.frame.edges, np.float64)
        edge_buckets = spread.bucket_of(edges, self.frame.centre, self.frame.scale)
        is_shared = np.zeros(spread.BUCKETS, bool)
        is_shared[edge_buckets] = True
        added = _zeros(spread.BUCKETS)
        for start in range(0, values.size, CHUNK):
            chunk = self._finite(np.ascontiguousarray(values[start : start + CHUNK], np.float64))
            if chunk.size:
                added += self._add_chunk(chunk, edges, is_shared)
        self.rows += int(values.size) + nulls
        self.missing += nulls
        whole = np.searchsorted(edge_buckets, np.arange(spread.BUCKETS))
        self.bins += np.bincount(whole, np.where(is_shared, 0, added), self.bins.size).astype(np.int64)
        self.spread += added

    def _finite(self, chunk: Floats) -> Floats:
        with np.errstate(over="ignore"):
            if np.isfinite(chunk.sum()):
                return chunk
        finite = np.isfinite(chunk)
        missing = int(np.isnan(chunk).sum())
        self.missing += missing
        self.infinite += int(chunk.size - finite.sum()) - missing
        self.above += int((chunk == np.inf).sum())
        self.below += int((chunk == -np.inf).sum())
        return chunk[finite]

    def _add_chunk(self, chunk: Floats, edges: Floats, is_shared: NDArray[np.bool_]) -> Numbers:
        low, high = float(chunk.min()), float(chunk.max())
        self.low = low if self.low is None else min(self.low, low)
        self.high = high if self.high is None else max(self.high, high)
        if self.frame.low is not None and low < self.frame.low:
            self.below += int((chunk < self.frame.low).sum())
        if self.frame.high is not None and high > self.frame.high:
            self.above += int((chunk > self.frame.high).sum())
        self.distinct.add(hash_numbers(chunk))
        numbers = spread.bucket_of(chunk, self.frame.centre, self.frame.scale)
        # A bucket without an edge lies in one bin; only values sharing one with an edge are looked up.
        near = chunk[is_shared[numbers]]
        if near.size:
            self.bins += np.bincount(np.searchsorted(edges, near, "right"), minlength=self.bins.size)
        return np.bincount(numbers, minlength=spread.BUCKETS)

    def merged(self, other: NumericSketch) -> NumericSketch:
        """The sketch of both sets of rows; ValueError when they lie on different frames."""
        _require_one_frame(self.frame, other.frame)
        both = NumericSketch(self.frame)
        for name in ("rows", "missing", "infinite", "below", "above"):
            setattr(both, name, getattr(self, name) + getattr(other, name))
        both.low = _pick(min, self.low, other.low)
        both.high = _pick(max, self.high, other.high)
        both.bins = self.bins + other.bins
        both.spread = self.spread + other.spread
        both.distinct = self.distinct.merged(other.distinct)
        return both

    @property
    def present(self) -> int:
        """Rows with a finite value."""
        return self.rows - self.missing - self.infinite

    @property
    def unexpected(self) -> int:
        """Rows outside the frame's range."""
        return self.below + self.above

    def quantiles(self, shares: list[float]) -> list[float | None]:
        """Values below which the shares lie, within 1/64 of their distance from the centre."""
        if self.low is None or self.high is None:
            return [None] * len(shares)
        found = spread.quantiles(self.spread, np.asarray(shares), *self._place(), self.low, self.high)
        return [float(each) for each in found]

    def counts_between(self, edges: Floats) -> Floats:
        """About how many values lie between neighbouring edges (evenly spread in a bucket)."""
        if self.low is None or self.high is None:
            return np.zeros(max(0, edges.size - 1))
        return np.diff(spread.cumulative(self.spread, edges, *self._place(), self.low, self.high))

    def bars(self) -> list[int]:
        """Counts for drawing: the frame's bars, the outer ones holding what lies beyond."""
        inner = np.asarray(self.frame.bars, np.float64)
        if inner.size < 2:
            return []
        edges = np.concatenate([[-np.inf], inner[1:-1], [np.inf]])
        return [round(each) for each in self.counts_between(edges)]

    def _place(self) -> tuple[float, float]:
        return self.frame.centre, self.frame.scale

    def to_json(self) -> dict[str, Any]:
        filled = np.flatnonzero(self.spread)
        return {
            "rows": self.rows, "missing": self.missing, "infinite": self.infinite,
            "below": self.below, "above": self.above, "low": self.low, "high": self.high,
            "bins": self.bins.tolist(),
            "buckets": np.diff(filled, prepend=0).tolist(), "counts": self.spread[filled].tolist(),
            "distinct": self.distinct.to_text(),
        }  # fmt: skip

    @classmethod
    def from_json(cls, frame: NumericFrame, value: Mapping[str, Any]) -> NumericSketch:
        sketch = cls(frame)
        for name in ("rows", "missing", "infinite", "below", "above", "low", "high"):
            setattr(sketch, name, value[name])
        sketch.bins = np.asarray(value["bins"], np.int64)
        if sketch.bins.size != len(frame.edges) + 1:
            raise ValueError("The sketch was laid out on another frame.")
        sketch.spread[np.cumsum(np.asarray(value["buckets"], np.int64))] = value["counts"]
        sketch.distinct = DistinctCounter.from_text(value["distinct"])
        return sketch


class CategoricalSketch:
    """One column of categories: counts of the frame's values, and ``unexpected`` others.

    ``others`` counts exactly those unexpected values whose hashes are the smallest ``KEPT``:
    all of them, as long as there are no more.
    """

    def __init__(self, frame: CategoricalFrame) -> None:
        self.frame = frame
        self.rows = self.missing = 0
        self.counts = dict.fromkeys(frame.categories, 0)
        self.others: dict[str, int] = {}
        self.unlisted = 0
        self.distinct = DistinctCounter()

    def add(self, counts: Mapping[str, int], nulls: int = 0) -> None:
        """Count a batch given as value -> rows, and how many rows were null."""
        self.rows += sum(counts.values()) + nulls
        self.missing += nulls
        for value, rows in counts.items():
            if value in self.counts:
                self.counts[value] += rows
            else:
                self.unlisted += rows
                self.others[value] = self.others.get(value, 0) + rows
        self.others = _smallest(self.others)
        self.distinct.add_texts(value for value, rows in counts.items() if rows)

    def merged(self, other: CategoricalSketch) -> CategoricalSketch:
        """The sketch of both sets of rows; ValueError when they lie on different frames."""
        _require_one_frame(self.frame, other.frame)
        both = CategoricalSketch(self.frame)
        both.rows, both.missing = self.rows + other.rows, self.missing + other.missing
        both.counts = {value: rows + other.counts[value] for value, rows in self.counts.items()}
        values = self.others.keys() | other.others.keys()
        both.others = _smallest(
            {each: self.others.get(each, 0) + other.others.get(each, 0) for each in values}
        )
        both.unlisted = self.unlisted + other.unlisted
        both.distinct = self.distinct.merged(other.distinct)
        return both

    @property
    def present(self) -> int:
        return self.rows - self.missing

    @property
    def unexpected(self) -> int:
        """Rows with a value the frame does not list; 0 for an open frame."""
        return 0 if self.frame.is_open else self.unlisted

    @property
    def bins(self) -> Numbers:
        """Counts of the frame's categories, then of everything else."""
        return np.array([*self.counts.values(), self.unlisted], np.int64)

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows, "missing": self.missing, "counts": list(self.counts.values()),
            "others": dict(sorted(self.others.items())), "unlisted": self.unlisted,
            "distinct": self.distinct.to_text(),
        }  # fmt: skip

    @classmethod
    def from_json(cls, frame: CategoricalFrame, value: Mapping[str, Any]) -> CategoricalSketch:
        if len(value["counts"]) != len(frame.categories):
            raise ValueError("The sketch was laid out on another frame.")
        sketch = cls(frame)
        sketch.rows, sketch.missing, sketch.unlisted = value["rows"], value["missing"], value["unlisted"]
        sketch.counts = dict(zip(frame.categories, value["counts"], strict=True))
        sketch.others = dict(value["others"])
        sketch.distinct = DistinctCounter.from_text(value["distinct"])
        return sketch


Sketch = NumericSketch | CategoricalSketch


@dataclass
class TableSketch:
    """The sketches of a table's columns on one frame."""

    frame: TableFrame
    columns: dict[str, Sketch] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, frame in self.frame.columns.items():
            self.columns.setdefault(name, empty_sketch(frame))

    def merged(self, other: TableSketch) -> TableSketch:
        """The sketch of both tables; ValueError when they lie on different frames."""
        if self.frame is not other.frame and self.frame != other.frame:
            raise ValueError("Sketches on different frames cannot be merged.")
        return TableSketch(
            self.frame, {name: _merge(self.columns[name], other.columns[name]) for name in self.columns}
        )

    def to_bytes(self) -> bytes:
        """Compressed JSON of the columns; the frame is kept apart."""
        plain = {name: sketch.to_json() for name, sketch in self.columns.items()}
        return zlib.compress(json.dumps(plain, separators=(",", ":")).encode(), 6)

    @classmethod
    def from_bytes(cls, frame: TableFrame, value: bytes) -> TableSketch:
        plain = json.loads(zlib.decompress(value))
        return cls(
            frame, {name: sketch_from_json(frame.columns[name], column) for name, column in plain.items()}
        )


def empty_sketch(frame: Frame) -> Sketch:
    return CategoricalSketch(frame) if isinstance(frame, CategoricalFrame) else NumericSketch(frame)


def sketch_from_json(frame: Frame, value: Mapping[str, Any]) -> Sketch:
    """A column's sketch from `to_json`; ValueError when it lies on another frame."""
    if isinstance(frame, CategoricalFrame):
        return CategoricalSketch.from_json(frame, value)
    return NumericSketch.from_json(frame, value)


def _merge(one: Any, other: Any) -> Sketch:
    return one.merged(other)


def _pick(choose: Any, one: float | None, other: float | None) -> float | None:
    known = [each for each in (one, other) if each is not None]
    return choose(known) if known else None


def _smallest(values: dict[str, int]) -> dict[str, int]:
    if len(values) <= KEPT:
        return values
    return {value: values[value] for value in sorted(values, key=hash_text)[:KEPT]}


def _require_one_frame(one: Frame, other: Frame) -> None:
    if one is not other and one != other:
        raise ValueError("Sketches on different frames cannot be merged.")
