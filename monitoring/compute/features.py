"""Feature windows from sketches: drift against the reference, missing and unexpected values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from measures.drift import drift
from measures.frames import TableFrame
from measures.sketches import CategoricalSketch, Sketch, TableSketch
from monitoring.compute.references import SCORE, bars_of, drawn_categories
from monitoring.compute.segments import INPUT

MOST_EXAMPLES = 5


def merged(frame: TableFrame, sketches: Iterable[bytes]) -> TableSketch:
    """The sketch of all parts' rows."""
    whole = TableSketch(frame)
    for sketch in sketches:
        whole = whole.merged(TableSketch.from_bytes(frame, bytes(sketch)))
    return whole


def feature_rows(reference: TableSketch, window: TableSketch) -> list[dict[str, Any]]:
    """The fields of each column's FeatureWindow; a prediction's column is marked."""
    return [_row(name, reference.columns[name], column) for name, column in window.columns.items()]


def _row(name: str, before: Sketch, now: Sketch) -> dict[str, Any]:
    moved = drift(before, now)
    row: dict[str, Any] = {
        "feature": "prediction" if name == SCORE else name.removeprefix(INPUT),
        "is_prediction": name == SCORE,
        "rows": now.rows,
        "missing": now.missing,
        "unexpected": now.unexpected,
        "psi": moved.psi,
        "noise": moved.noise,
        "level": moved.level,
        "distinct": now.distinct.estimate(),
    }
    if isinstance(now, CategoricalSketch) and isinstance(before, CategoricalSketch):
        commonest = sorted(now.others.items(), key=lambda item: (-item[1], item[0]))[:MOST_EXAMPLES]
        examples: dict[str, Any] = {} if now.frame.is_open else {"values": dict(commonest)}
        return {**row, "bars": bars_of(now, drawn_categories(before)), "examples": examples}
    if not isinstance(now, CategoricalSketch):
        row |= {"low": now.low, "median": now.quantiles([0.5])[0], "high": now.high}
        row["examples"] = {
            "below": now.below,
            "above": now.above,
            "expected": [now.frame.low, now.frame.high],
        }
    return {**row, "bars": bars_of(now, [])}
