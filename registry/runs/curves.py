"""One metric of a run over its steps: the chart with its axis, and the values."""

from __future__ import annotations

import csv
import itertools
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from core import charts
from core.errors import NotFound
from registry.backends import tracking_server
from registry.metrics import HIGHER, better_of, value_in_words, word_of
from registry.tracked import Run

MOST_POINTS = 500
# All values of a long history are read for the finding, as long as that lasts.
SECONDS_FOR_FINDING = 2.0
# Values between two looks at the clock, and those that leave for a browser together.
VALUES_OF_A_LOOK, LINES_AT_ONCE = 1000, 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Point = tuple[int, float]


@dataclass(frozen=True)
class Extremes:
    """Step and value of the lowest and the highest; ``is_of_all`` unless only a sample was looked at."""

    lowest: Point
    highest: Point
    is_of_all: bool = True


@dataclass(frozen=True)
class Curve:
    """The points that were read, in order of their steps; not all of them are numbers."""

    name: str
    newest: float | str
    points: Sequence[Point]
    extremes: Extremes | None

    @property
    def is_sampled(self) -> bool:
        return len(self.points) >= MOST_POINTS

    @property
    def known(self) -> list[Point]:
        return [point for point in self.points if math.isfinite(point[1])]

    @property
    def title(self) -> str:
        """The finding: where it stands, and where it was best; both ends of what may be better either way."""
        stands = f"{word_of(self.name)} is {value_in_words(self.newest)}"
        found = self.extremes
        if found is None or len(self.known) < 2:
            return stands
        low, high = _said("lowest", found.lowest), _said("highest", found.highest)
        better = better_of(self.name)
        best = (high if better == HIGHER else low) if better else f"{low}, {high}"
        return f"{stands}; {best}" + ("" if found.is_of_all else " of a sample")

    @property
    def sub(self) -> str:
        count, gaps = len(self.points), len(self.points) - len(self.known)
        said = f"a sample of {count:,} values" if self.is_sampled else f"{count:,} value{'s'[: count != 1]}"
        with_ends = ", with the lowest and the highest of all" if self.is_sampled and self.is_of_all else ""
        return f"{said} over its steps{with_ends}" + (f", {gaps:,} of them no number" if gaps else "")

    @property
    def is_of_all(self) -> bool:
        return self.extremes is not None and self.extremes.is_of_all

    @property
    def rows(self) -> list[list[str]]:
        return [[f"{step:,}", value_in_words(value)] for step, value in self.points]


def curve_of(run: Run, name: str) -> Curve:
    """A sample of a long history is drawn with the ends that it may lack."""
    check_logged(run, name)
    points = tracking_server().metric_course(run.id, name, MOST_POINTS)
    if len(points) < MOST_POINTS:
        return Curve(name, run.metrics[name], points, extremes_of(points))
    if (found := _of_all(run, name)) is None:
        return Curve(name, run.metrics[name], points, extremes_of(points, is_of_all=False))
    ends = {found.lowest, found.highest} - set(points)
    return Curve(name, run.metrics[name], sorted([*points, *ends], key=lambda each: each[0]), found)


def check_logged(run: Run, name: str) -> None:
    if name not in run.metrics:
        raise NotFound(f"The run logged no metric {name[:250]!r}.", field="metric")


def figure_of(curve: Curve) -> dict[str, Any] | None:
    """Nothing to draw of a single point."""
    if len(curve.known) < 2:
        return None
    steps = [step for step, _ in curve.points]
    values = [value if math.isfinite(value) else None for _, value in curve.points]
    line = charts.line(steps, values, curve.name, "accent", digits=5)
    return charts.figure([line], xaxis={"title": {"text": "step"}}, showlegend=False)


def extremes_of(points: Iterable[Point], *, is_of_all: bool = True) -> Extremes | None:
    """Of those that are numbers, the first of equal ones."""
    known = [point for point in points if math.isfinite(point[1])]
    if not known:
        return None
    return Extremes(min(known, key=_rising), max(known, key=_falling), is_of_all)


def lines_of(run: Run, name: str) -> Iterator[str]:
    """All that was logged of a metric as CSV, some lines at a time."""
    head = ("step", "logged_at", "value")
    logged = ((step, _moment(at), value) for step, at, value in tracking_server().metric_values(run.id, name))
    rows = itertools.chain([head], logged)
    while some := list(itertools.islice(rows, LINES_AT_ONCE)):
        lines = _Lines()
        csv.writer(lines).writerows(some)
        yield "".join(lines)


class _Lines(list[str]):
    """What ``csv`` writes to."""

    write = list.append


def _of_all(run: Run, name: str) -> Extremes | None:
    """None where reading all would keep the reader waiting."""
    until = time.monotonic() + SECONDS_FOR_FINDING
    best: list[Point] = []
    values = ((step, value) for step, _, value in tracking_server().metric_values(run.id, name))
    while some := list(itertools.islice(values, VALUES_OF_A_LOOK)):
        if found := extremes_of([*best, *some]):
            best = [found.lowest, found.highest]
        if time.monotonic() > until:
            return None
    return extremes_of(best)


def _rising(point: Point) -> tuple[float, int]:
    return point[1], point[0]


def _falling(point: Point) -> tuple[float, int]:
    return point[1], -point[0]


def _said(kind: str, point: Point) -> str:
    return f"{kind} {value_in_words(point[1])} at step {point[0]:,}"


def _moment(milliseconds: int) -> str:
    """Empty for a time that no calendar has: a client may log any number."""
    try:
        return (EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")
    except OverflowError:
        return ""
