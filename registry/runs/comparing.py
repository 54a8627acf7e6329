"""Two runs side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.actors import Actor
from core.errors import Invalid
from registry.compare.differences import Line, differing, lines_of
from registry.metrics import value_in_words
from registry.runs.reading import is_own, plain_metrics
from registry.runs.shown import ShownRun
from registry.runs.sight import find_run
from registry.tracked import Run


@dataclass(frozen=True)
class Table:
    """Names with what either run says of them: those that differ, and those that are the same."""

    key: str
    title: str
    lines: list[Line]
    empty: str

    @property
    def changed(self) -> list[Line]:
        return differing(self.lines)

    @property
    def same(self) -> list[Line]:
        return [line for line in self.lines if not line.is_difference]


@dataclass(frozen=True)
class Pair:
    a: ShownRun
    b: ShownRun
    tables: list[Table]


def pair_of(actor: Actor, a: str, b: str) -> Pair:
    """Both as they are now; one that the reader may not see is not there."""
    for field, named in (("a", a), ("b", b)):
        if not named:
            raise Invalid(f"{field} must be the id of a run.", field=field, allowed="a run's id")
    if a == b:
        raise Invalid("a and b are the same run; choose two.", field="b", allowed="another run's id")
    first, second = (_shown(actor, find_run(actor, each)) for each in (a, b))
    return Pair(first, second, _tables(first, second))


def _shown(actor: Actor, run: Run) -> ShownRun:
    return ShownRun(run, "", (), plain_metrics(run), is_own=is_own(actor, run))


def _tables(a: ShownRun, b: ShownRun) -> list[Table]:
    return [
        Table("metrics", "Metrics", _numbers(a.run, b.run), "Neither logged a metric."),
        Table(
            "parameters",
            "Parameters",
            lines_of(a.run.parameters, b.run.parameters),
            "Neither logged a parameter.",
        ),
        Table("data", "Data", lines_of(_data(a.run), _data(b.run)), "Neither names data."),
        Table("tags", "Tags", lines_of(dict(a.tags), dict(b.tags)), "Neither has a tag."),
        Table("code", "Code", lines_of(_code(a), _code(b)), "Neither says what code it ran."),
    ]


def _numbers(a: Run, b: Run) -> list[Line]:
    """In words, unless those hide a difference."""
    return [_in_words(line) for line in lines_of(a.metrics, b.metrics)]


def _in_words(line: Line) -> Line:
    words = [None if value is None else value_in_words(value) for value in line.both]
    if line.is_difference and words[0] == words[1]:
        words = [str(value) for value in line.both]
    return replace(line, a=words[0], b=words[1])


def _data(run: Run) -> dict[str, Any]:
    """By what it was for; the digest tells two contents of one name apart."""
    found: dict[str, list[str]] = {}
    for each in run.inputs:
        found.setdefault(each.context or "input", []).append(f"{each.name} {each.digest[:8]}")
    return {context: ", ".join(sorted(names)) for context, names in found.items()}


def _code(run: ShownRun) -> dict[str, str]:
    said = {"script": run.source, "commit": run.code_commit}
    return {name: value for name, value in said.items() if value}
