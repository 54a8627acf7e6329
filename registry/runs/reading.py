"""What the page of one run shows: its metrics with their courses, its family, and the models it logged."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from core.actors import Actor
from core.errors import NotFound
from registry.backends import tracking_server
from registry.runs.shown import Metric, ShownRun
from registry.runs.sight import find_run, usable, versions_of
from registry.tracked import PARENT, RUN_ID, LoggedModel, Run

# A history is asked for metric by metric: those that go over several steps, until the time is over.
MOST_HISTORIES, MOST_DRAWN, SECONDS_FOR_HISTORIES = 12, 60, 3.0
MOST_CHILDREN = 50
# MLflow answers no more of them at once.
MOST_LOGGED_MODELS = 50


@dataclass(frozen=True)
class Family:
    """The run that one is part of and the runs that are part of it, as far as the reader may see them."""

    parent: ShownRun | None
    children: Sequence[ShownRun]
    has_more: bool


def shown_run(actor: Actor, run: Run) -> ShownRun:
    versions = versions_of(actor, [run]).get(run.id, ())
    own = is_own(actor, run)
    is_told = own or actor.holds_everywhere("view")  # an experiment is not seen through a version
    experiment = tracking_server().experiment_name(run.experiment_id) if is_told else ""
    return ShownRun(run, experiment, versions, _metrics(run), is_own=own)


def run_of(actor: Actor, run_id: str) -> ShownRun:
    """One run with the course of its metrics; somebody else's is not there."""
    return shown_run(actor, find_run(actor, run_id))


def is_own(actor: Actor, run: Run) -> bool:
    return run.owner == str(actor.person_id)


def family_of(actor: Actor, run: Run) -> Family:
    tracking = tracking_server()
    parent = []
    if RUN_ID.fullmatch(named := run.tags.get(PARENT, "")):
        try:
            parent = usable(actor, [tracking.run(named)])
        except NotFound:
            parent = []
    found = tracking.children_of(run, MOST_CHILDREN + 1)
    children = [each for each in usable(actor, found[:MOST_CHILDREN]) if each.id != run.id]
    shown = [ShownRun(each, "", (), plain_metrics(each)) for each in [*parent, *children]]
    return Family(shown[0] if parent else None, shown[len(parent) :], len(found) > MOST_CHILDREN)


def logged_models_of(actor: Actor, run: Run) -> list[LoggedModel]:
    """What the run logged as models and the reader may use, by name."""
    if not run.logged_models:
        return []
    found = usable(actor, tracking_server().logged_models_of(run, MOST_LOGGED_MODELS))
    return sorted((each for each in found if each.run_id == run.id), key=lambda each: (each.name, each.id))


def plain_metrics(run: Run) -> list[Metric]:
    """Newest values alone."""
    return [Metric(name, value, run.steps.get(name, 0)) for name, value in run.metrics.items()]


def _metrics(run: Run) -> list[Metric]:
    """By name; those that went on are asked for their course first."""
    metrics = sorted(plain_metrics(run), key=lambda each: each.name)
    until, courses = time.monotonic() + SECONDS_FOR_HISTORIES, {}
    for metric in sorted(metrics, key=lambda each: (each.step == 0, each.name))[:MOST_HISTORIES]:
        if time.monotonic() > until:
            break
        courses[metric.name] = tracking_server().metric_course(run.id, metric.name, MOST_DRAWN + 1)
    return [_with_course(each, courses[each.name]) if each.name in courses else each for each in metrics]


def _with_course(metric: Metric, course: Sequence[tuple[int, float]]) -> Metric:
    values = [value if math.isfinite(value) else None for _, value in course]
    return Metric(metric.name, metric.value, metric.step, values, len(values) > MOST_DRAWN)
