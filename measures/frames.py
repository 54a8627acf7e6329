"""Reference frames: what a sketch is laid out on, fixed once by the reference data.

A frame decides bins, categories and the expected range, so that sketches of any other rows
can be compared with the reference and added to each other. It is plain JSON.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
FEW_VALUES = 20
MOST_CATEGORIES = 1000
DISPLAY_BARS = 20
TINY, HUGE = 1e-290, 1e290


@dataclass(frozen=True)
class NumericFrame:
    """``edges``: inner edges of the bins; a bin holds its lower edge and not its upper one.

    ``low`` and ``high`` bound what is expected (a contract's range, or the reference's own);
    ``centre`` and ``scale`` place the finest part of the quantile sketch; ``bars`` are the
    edges of equal width that pages draw.
    """

    edges: tuple[float, ...] = ()
    low: float | None = None
    high: float | None = None
    centre: float = 0.0
    scale: float = 1.0
    bars: tuple[float, ...] = ()
    kind: str = "numeric"


@dataclass(frozen=True)
class CategoricalFrame:
    """``categories``: the expected values. ``is_open`` when the reference had too many to list,
    so that a value outside the list is nothing unusual."""

    categories: tuple[str, ...] = ()
    is_open: bool = False
    kind: str = "categorical"


Frame = NumericFrame | CategoricalFrame


@dataclass(frozen=True)
class TableFrame:
    """The frames of a table's columns by name."""

    columns: dict[str, Frame] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {name: asdict(frame) for name, frame in self.columns.items()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> TableFrame:
        return cls({name: _frame(column) for name, column in value.items()})

    @property
    def key(self) -> str:
        """SHA-256 of the frame: sketches merge and compare only within one frame."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _frame(value: dict[str, Any]) -> Frame:
    if value["kind"] == "categorical":
        return CategoricalFrame(categories=tuple(value["categories"]), is_open=value["is_open"])
    return NumericFrame(
        edges=tuple(value["edges"]),
        low=value["low"],
        high=value["high"],
        centre=value["centre"],
        scale=value["scale"],
        bars=tuple(value["bars"]),
    )


def numeric_frame(
    sample: NDArray[np.float64],
    *,
    low: float | None = None,
    high: float | None = None,
    bins: int = BINS,
) -> NumericFrame:
    """A frame from finite reference values (a sample will do; ``low`` and ``high`` are exact)."""
    values = np.sort(sample[np.isfinite(sample)])
    if not values.size:
        return NumericFrame(low=low, high=high)
    quarter, centre, three_quarters = (float(each) for each in np.quantile(values, [0.25, 0.5, 0.75]))
    spread = three_quarters - quarter or float(values.std()) or abs(centre)
    return NumericFrame(
        edges=tuple(float(edge) for edge in _edges(values, bins)),
        low=float(values[0]) if low is None else low,
        high=float(values[-1]) if high is None else high,
        centre=centre,
        scale=spread if TINY < spread < HUGE else 1.0,
        bars=_bars(values),
    )


def _edges(ordered: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Edges of about equal reference share; a value that fills a bin alone gets its own."""
    distinct, counts = np.unique(ordered, return_counts=True)
    if distinct.size <= FEW_VALUES:
        return distinct[1:]
    cuts = np.quantile(ordered, np.arange(1, bins) / bins, method="higher")
    heavy = distinct[counts >= ordered.size / bins]
    after = distinct[np.minimum(np.searchsorted(distinct, heavy, "right"), distinct.size - 1)]
    edges = np.unique(np.concatenate([cuts, heavy, after]))
    return edges[edges > distinct[0]]


def _bars(ordered: NDArray[np.float64]) -> tuple[float, ...]:
    """Edges for drawing: the middle 99 % of the reference in bars of equal width."""
    first, last = np.quantile(ordered, [0.005, 0.995])
    if last <= first:
        first, last = ordered[0], ordered[-1]
    if last <= first:
        first, last = first - 0.5, first + 0.5
    return tuple(float(edge) for edge in np.linspace(first, last, DISPLAY_BARS + 1))
