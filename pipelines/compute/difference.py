"""The program that compares two versions: ``python -m pipelines.compute.difference``.

Reads two Parquet files batch by batch into sketches on one frame, the earlier version's, and
answers PSI, its noise and level per column, with the bars of both sides for drawing.
"""

from __future__ import annotations

from pipelines.confinement import confine

if __name__ == "__main__":
    confine()

import json
import sys
from pathlib import Path
from typing import Any

from measures.drift import drift
from measures.scan import frame_of, sketch_of
from measures.sketches import CategoricalSketch, Sketch

MOST_BARS = 12


def difference(request: dict[str, Any]) -> dict[str, Any]:
    """PSI of every asked column, the one that moved most first."""
    before, after = Path(request["before"]), Path(request["after"])
    frame = frame_of(before, request["columns"])
    sketches = sketch_of(before, frame).columns, sketch_of(after, frame).columns
    found = [_column(name, sketches[0][name], sketches[1][name]) for name in frame.columns]
    return {"columns": sorted(found, key=lambda each: -(each["psi"] or 0.0))}


def _column(name: str, before: Sketch, after: Sketch) -> dict[str, Any]:
    moved = drift(before, after)
    return {
        "name": name,
        "psi": moved.psi,
        "noise": moved.noise,
        "level": moved.level,
        "rows": [before.present, after.present],
        **_bars(before, after),
    }


def _bars(before: Sketch, after: Sketch) -> dict[str, Any]:
    """Shares of the rows that have a value: numbers in bars of equal width, the commonest categories."""
    if not isinstance(before, CategoricalSketch) or not isinstance(after, CategoricalSketch):
        assert not isinstance(before, CategoricalSketch)
        assert not isinstance(after, CategoricalSketch)
        sides = before.bars(), after.bars()
        return {"bars": list(before.frame.bars), "before": _shares(sides[0]), "after": _shares(sides[1])}
    names = sorted({**before.counts, **after.others}, key=lambda each: -_most(each, before, after))[
        :MOST_BARS
    ]
    counts = [[side.counts.get(each, side.others.get(each, 0)) for each in names] for side in (before, after)]
    rest = [side.present - sum(found) for side, found in zip((before, after), counts, strict=True)]
    if any(rest):
        names, counts = [*names, ""], [[*found, more] for found, more in zip(counts, rest, strict=True)]
    return {
        "bars": names,
        "before": _shares(counts[0], before.present),
        "after": _shares(counts[1], after.present),
    }


def _most(name: str, before: CategoricalSketch, after: CategoricalSketch) -> float:
    sides = ((each.counts.get(name, each.others.get(name, 0)), each.present) for each in (before, after))
    return max(rows / present if present else 0.0 for rows, present in sides)


def _shares(counts: list[int], total: int | None = None) -> list[float]:
    whole = sum(counts) if total is None else total
    return [round(each / whole, 6) if whole else 0.0 for each in counts]


def main() -> int:
    print(json.dumps(difference(json.loads(sys.stdin.read())), allow_nan=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
