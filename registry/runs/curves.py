"""One metric of a run over its steps: the chart with its axis, and the values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core import charts
from core.errors import NotFound
from registry.backends import tracking_server
from registry.metrics import is_better_higher, word_of
from registry.runs.shown import value_in_words
from registry.tracked import Run

MOST_POINTS = 500


@dataclass(frozen=True)
class Curve:
    """The points that were read, in order of their steps; None is no number."""

    name: str
    newest: float | str
    points: Sequence[tuple[int, float | None]]

    @property
    def is_sampled(self) -> bool:
        return len(self.points) >= MOST_POINTS

    @property
    def known(self) -> list[tuple[int, float]]:
        return [(step, value) for step, value in self.points if value is not None]

    @property
    def title(self) -> str:
        """The finding: where it stands, and where it was best."""
        word, newest = word_of(self.name), value_in_words(self.newest)
        if len(self.known) < 2:
            return f"{word} is {newest}"
        better = max if is_better_higher(self.name) else min
        step, value = better(self.known, key=lambda each: each[1])
        kind = "highest" if better is max else "lowest"
        return f"{word} is {newest}; {kind} {value_in_words(value)} at step {step:,}"

    @property
    def sub(self) -> str:
        count, gaps = len(self.points), len(self.points) - len(self.known)
        said = f"a sample of {count:,} values" if self.is_sampled else f"{count:,} value{'s'[: count != 1]}"
        return f"{said} over its steps" + (f", {gaps:,} of them no number" if gaps else "")

    @property
    def rows(self) -> list[list[str]]:
        return [[f"{step:,}", value_in_words(value)] for step, value in self.points]


def curve_of(run: Run, name: str) -> Curve:
    if name not in run.metrics:
        raise NotFound(f"The run logged no metric {name[:250]!r}.", field="metric")
    points = tracking_server().metric_course(run.id, name, MOST_POINTS)
    return Curve(name, run.metrics[name], points)


def figure_of(curve: Curve) -> dict[str, Any] | None:
    """Nothing to draw of a single point."""
    if len(curve.known) < 2:
        return None
    steps = [step for step, _ in curve.points]
    line = charts.line(steps, [value for _, value in curve.points], curve.name, "accent", digits=5)
    return charts.figure([line], xaxis={"title": {"text": "step"}}, showlegend=False)
