"""Some runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.actors import Actor
from registry.metrics import value_in_words
from registry.runs.reading import is_own, plain_metrics
from registry.runs.shown import ShownRun
from registry.runs.sight import find_run
from registry.tracked import Run

FEWEST, MOST = 2, 5


@dataclass(frozen=True)
class Line:
    """One name and what each run says of it, None where it says nothing."""

    name: str
    values: Sequence[Any]

    @property
    def is_difference(self) -> bool:
        return any(value != self.values[0] for value in self.values)


@dataclass(frozen=True)
class Table:
    """Names with what the runs say of them: those that differ, and those that are the same."""

    key: str
    title: str
    lines: Sequence[Line]
    empty: str

    @property
    def changed(self) -> list[Line]:
        return [line for line in self.lines if line.is_difference]

    @property
    def same(self) -> list[Line]:
        return [line for line in self.lines if not line.is_difference]


@dataclass(frozen=True)
class Comparison:
    runs: Sequence[ShownRun]
    tables: Sequence[Table]


def comparison_of(actor: Actor, chosen: Sequence[str]) -> Comparison:
    """All as they are now; one that the reader may not see is not there."""
    runs = [_shown(actor, find_run(actor, each)) for each in chosen]
    return Comparison(runs, _tables(runs))


def _shown(actor: Actor, run: Run) -> ShownRun:
    return ShownRun(run, "", (), plain_metrics(run), is_own=is_own(actor, run))


def _tables(shown: Sequence[ShownRun]) -> list[Table]:
    runs = [each.run for each in shown]
    metrics = [_in_words(line) for line in _lines([run.metrics for run in runs])]
    parameters = _lines([run.parameters for run in runs])
    tags = _lines([dict(each.tags) for each in shown])
    return [
        Table("metrics", "Metrics", metrics, "None logged a metric."),
        Table("parameters", "Parameters", parameters, "None logged a parameter."),
        Table("data", "Data", _lines([_data(run) for run in runs]), "None names data."),
        Table("tags", "Tags", tags, "None has a tag."),
        Table("code", "Code", _lines([_code(each) for each in shown]), "None says what code it ran."),
    ]


def _lines(said: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Every name of any: those that all say first."""
    lines = [Line(name, [each.get(name) for each in said]) for name in sorted(set().union(*said))]
    return sorted(lines, key=lambda line: None in line.values)


def _in_words(line: Line) -> Line:
    """In words, unless those hide a difference."""
    words = [None if value is None else value_in_words(value) for value in line.values]
    if len(set(words)) < len(set(line.values)):
        words = [None if value is None else str(value) for value in line.values]
    return Line(line.name, words)


def _data(run: Run) -> dict[str, Any]:
    """By what it was for; the digest tells two contents of one name apart."""
    found: dict[str, list[str]] = {}
    for each in run.inputs:
        found.setdefault(each.context or "input", []).append(f"{each.name} {each.digest[:8]}")
    return {context: ", ".join(sorted(names)) for context, names in found.items()}


def _code(run: ShownRun) -> dict[str, str]:
    said = {"script": run.source, "commit": run.code_commit}
    return {name: value for name, value in said.items() if value}
