"""One metric over the versions of a model, joined only where the rows tested on were the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core import charts
from core.actors import Actor
from core.figures import measured
from pipelines.models import DatasetVersion
from registry.evaluations.measured import measured_name, trained_on_rows
from registry.evaluations.models import Evaluation
from registry.evaluations.verdicts import METRICS
from registry.metrics import is_better_higher, main_metric, word_of
from registry.models import ModelVersion, VersionDataset

MOST_VERSIONS = 50
MOST_SERIES = 4
COLOURS = ("accent", "s2", "s3", "s4")
LONGEST_LABEL = 40


@dataclass(frozen=True)
class Point:
    """What one version's run logged, and on which rows it says it was tested."""

    version: ModelVersion
    value: float
    tested_on: frozenset[str]


@dataclass
class Trend:
    """Points oldest first; ``shared`` maps a data set version to the versions scored on its rows."""

    metric: str
    offered: list[tuple[str, str]]
    points: list[Point]
    shared: dict[str, dict[int, float]]

    @property
    def is_one_test(self) -> bool:
        """Whether every run tested on the same known rows."""
        tests = {point.tested_on for point in self.points}
        return len(tests) == 1 and frozenset() not in tests

    @property
    def title(self) -> str:
        """The finding: the best as scored here or, where runs tested alike, as logged; else where it went."""
        word = word_of(self.metric)
        first, last = self.points[0], self.points[-1]
        if len(self.points) == 1:
            return (
                f"v{first.version.number} has {word} {measured(first.value)}; nothing to compare it with yet"
            )
        if self.shared:
            return self._shared_finding()
        if self.is_one_test:
            better = max if is_better_higher(self.metric) else min
            best = better(self.points, key=lambda point: point.value)
            return f"v{best.version.number} has the best {word}, {measured(best.value)}, of {len(self.points)} versions"
        return (
            f"{word} went from {measured(first.value)} (v{first.version.number}) to {measured(last.value)}"
            f" (v{last.version.number}), {self._tested_words}"
        )

    @property
    def _tested_words(self) -> str:
        known = all(point.tested_on for point in (self.points[0], self.points[-1]))
        return "on different test rows" if known else "on test rows that are not known"

    @property
    def sub(self) -> str:
        own = "all tested on the same rows" if self.is_one_test else "each on rows of its own"
        if self.shared:
            return f"Lines: scored on the same rows, named at their end. Rings: as each run logged it, {own}."
        if self.is_one_test:
            return "Rings: as each run logged it; all tested on the same rows."
        return "Rings: as each run logged it. A line joins only versions whose runs tested on the same rows."

    def _shared_finding(self) -> str:
        """The best on the rows that the newest compared version was scored on, and whom it beats."""
        name, values = max(self.shared.items(), key=lambda item: max(item[1]))
        better = max if is_better_higher(self.metric) else min
        best = better(values, key=lambda number: values[number])
        rest = {number: value for number, value in values.items() if number != best}
        second = better(rest, key=lambda number: rest[number])
        word, where = METRICS[measured_name(self.metric)][0], name.split()[0]
        if values[best] == values[second]:
            return f"v{best} and v{second} have the same {word} on {where}, {measured(values[best])}"
        degree = "better" if len(values) == 2 else "best"
        return f"v{best} has the {degree} {word} on {where}: {measured(values[best])} against {measured(values[second])} of v{second}"

    def figure(self) -> dict[str, Any]:
        """The chart: what runs logged in grey, what was scored on the same rows in colour."""
        is_one_set = len({name.split()[0] for name in self.shared}) == 1
        traces, marks = [_logged(part) for part in self._parts()], []
        for colour, (name, values) in zip(COLOURS, self.shared.items(), strict=False):
            numbers = [point.version.number for point in self.points if point.version.number in values]
            traces.append(
                _with_marks(
                    charts.line(
                        [f"v{number}" for number in numbers],
                        [values[number] for number in numbers],
                        name,
                        colour,
                        digits=4,
                    )
                )
            )
            words = name.split(" ", 1)[-1] if is_one_set else name
            marks.append(_at_end(f"v{numbers[-1]}", values[numbers[-1]], words, colour))
        order = [f"v{point.version.number}" for point in self.points]
        axis = {"type": "category", "categoryorder": "array", "categoryarray": order}
        return charts.figure(traces, marks=marks, xaxis=axis, margin={"l": 52, "r": 16, "t": 30, "b": 30})

    @property
    def head(self) -> list[str]:
        return ["Version", word_of(self.metric), "Test rows", *(f"On {name}" for name in self.shared)]

    @property
    def rows(self) -> list[list[str]]:
        tests: dict[frozenset[str], str] = {}
        for point in self.points:
            if point.tested_on:
                tests.setdefault(point.tested_on, f"test {len(tests) + 1}")
        return [
            [
                f"v{point.version.number}",
                measured(point.value, in_column=True),
                tests.get(point.tested_on, "not known"),
                *(_figure(values.get(point.version.number)) for values in self.shared.values()),
            ]
            for point in reversed(self.points)
        ]

    def _parts(self) -> list[list[Point]]:
        """Runs of neighbours that tested on the same known rows."""
        parts: list[list[Point]] = []
        for point in self.points:
            joined = parts and point.tested_on and parts[-1][-1].tested_on == point.tested_on
            if joined:
                parts[-1].append(point)
            else:
                parts.append([point])
        return parts


def trend_of(actor: Actor, versions: Any, asked: str = "") -> Trend | None:
    """The newest versions' trend of ``asked`` or of the main metric; None while no run logged a number."""
    newest = list(versions.ready().in_lists().order_by("-number")[:MOST_VERSIONS])[::-1]
    offered = sorted(
        {name for version in newest for name, value in version.metrics.items() if _is_number(value)}
    )
    metric = asked if asked in offered else main_metric(newest)
    if not metric:
        return None
    tests = _tests_of(newest)
    points = [
        Point(version, float(version.metrics[metric]), tests.get(version.pk, frozenset()))
        for version in newest
        if _is_number(version.metrics.get(metric))
    ]
    choices = [(name, word_of(name)) for name in offered]
    return Trend(metric, choices, points, _scored_together(actor, newest, metric))


def _tests_of(versions: Sequence[ModelVersion]) -> dict[Any, frozenset[str]]:
    """For each version the digests of the data held out."""
    rows = VersionDataset.objects.filter(version__in=versions, role=VersionDataset.Role.HOLDOUT)
    found: dict[Any, set[str]] = {}
    for version, digest in rows.values_list("version_id", "dataset_version__digest"):
        found.setdefault(version, set()).add(digest)
    return {version: frozenset(digests) for version, digests in found.items()}


def _scored_together(
    actor: Actor, versions: Sequence[ModelVersion], metric: str
) -> dict[str, dict[int, float]]:
    """Data set versions on which evaluations scored two or more of the versions, with their figures."""
    judged = measured_name(metric)
    if not judged:
        return {}
    rows = Evaluation.objects.visible_to(actor).filter(
        ~trained_on_rows(), candidate__in=versions, status=Evaluation.Status.SUCCEEDED
    )
    if not actor.holds_everywhere("view"):
        rows = rows.filter(dataset_version__in=DatasetVersion.objects.visible_to(actor))
    found: dict[str, dict[int, float]] = {}
    columns = ("dataset_version__dataset__name", "dataset_version__number", "dataset_version__label")
    scored = rows.order_by("created_at").values_list(
        *columns, "candidate__number", "champion__number", "comparison__metrics"
    )
    for name, number, label, candidate, champion, metrics in scored:
        figures = (metrics or {}).get(judged, {})
        for role, version in (("champion", champion), ("candidate", candidate)):
            estimate = (figures.get(role) or {}).get("estimate")
            if version is not None and estimate is not None:
                found.setdefault(f"{name} {label or f'v{number}'}", {})[version] = estimate
    shared = {name: values for name, values in found.items() if len(values) > 1}
    most = sorted(shared.items(), key=lambda item: -len(item[1]))[:MOST_SERIES]
    return dict(most)


def _at_end(x: str, y: float, name: str, colour: str) -> dict[str, Any]:
    """A line's name where it ends, instead of a legend; app.js makes a legend of it where there is no room."""
    words = name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 1]}…"
    return {
        "annotation": {
            "name": "at-end", "x": x, "y": y, "xanchor": "right", "yanchor": "bottom", "yshift": 8, "text": words, "showarrow": False,
            "bgcolor": charts.token("surface", 0.8), "font": {"color": charts.token(colour if colour == "accent" else "ink-2"), "size": 11.5},
        }
    }  # fmt: skip


def _logged(part: list[Point]) -> dict[str, Any]:
    line = charts.line(
        [f"v{point.version.number}" for point in part],
        [point.value for point in part],
        "as logged",
        "champion",
        digits=4,
    )
    ring = {"color": charts.token("champion"), "size": 13, "symbol": "circle-open", "line": {"width": 1.5}}
    return {**line, "mode": "lines+markers", "marker": ring, "showlegend": False}


def _with_marks(line: dict[str, Any]) -> dict[str, Any]:
    return {**line, "mode": "lines+markers", "marker": {**line["marker"], "size": 8}}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _figure(value: float | None) -> str:
    return "not scored" if value is None else measured(value, in_column=True)
