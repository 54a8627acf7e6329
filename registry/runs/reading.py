"""Runs somebody may see: their own, and those that versions they may see were made from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core import signing

from core.actors import Actor
from core.errors import Invalid, NotFound
from registry.backends import tracking_server
from registry.metrics import main_metric, word_of
from registry.models import ModelVersion
from registry.ownership import may_use
from registry.tracked import RUN_ID, Owned, Run

EXPERIMENT_ID = re.compile(r"[0-9]{1,9}")
# Everybody may log there, and into experiments of their own: a person's runs are nowhere else.
SHARED_EXPERIMENT = "0"
MOST_EXPERIMENTS = 1000
RUNS_OF_A_PAGE = 50
# A history is asked for metric by metric.
MOST_HISTORIES, MOST_DRAWN = 12, 60
# MLflow's word -> ours, for a pill.
STATUSES = {
    "RUNNING": "running",
    "SCHEDULED": "queued",
    "FINISHED": "succeeded",
    "FAILED": "failed",
    "KILLED": "cancelled",
}
PAGES = "registry.runs.page"
# Tags that MLflow or the registry set, shown in their own places or of no use to people.
KEPT_TO_ITSELF = ("mlflow.", "controlplane.")


@dataclass(frozen=True)
class Metric:
    """The newest value of a metric, and its course where more than one was logged; a long one is sampled."""

    name: str
    value: float | str
    course: Sequence[float] = ()

    @property
    def is_sampled(self) -> bool:
        return len(self.course) >= MOST_DRAWN


@dataclass(frozen=True)
class ShownRun:
    """A run as a page shows it; ``versions`` are those the reader may see."""

    run: Run
    experiment: str
    versions: Sequence[ModelVersion]
    metrics: Sequence[Metric]

    @property
    def name(self) -> str:
        return self.run.name or self.run.id[:8]

    @property
    def status(self) -> str:
        return "deleted" if self.run.is_deleted else STATUSES.get(self.run.status, "unknown")

    @property
    def started_at(self) -> datetime | None:
        return _moment(self.run.started_at_ms)

    @property
    def seconds(self) -> float | None:
        ended, started = self.run.ended_at_ms, self.run.started_at_ms
        return (ended - started) / 1000 if ended and started else None

    @property
    def main(self) -> Metric | None:
        name = main_metric([self.run])
        return next(
            (Metric(word_of(each.name), each.value) for each in self.metrics if each.name == name), None
        )

    @property
    def tags(self) -> list[tuple[str, str]]:
        return sorted(
            (key, value) for key, value in self.run.tags.items() if not key.startswith(KEPT_TO_ITSELF)
        )

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return sorted(self.run.parameters.items())

    @property
    def source(self) -> str:
        return self.run.tags.get("mlflow.source.name", "")

    @property
    def code_commit(self) -> str:
        return self.run.tags.get("controlplane.code_commit") or self.run.tags.get(
            "mlflow.source.git.commit", ""
        )


@dataclass(frozen=True)
class RunPage:
    """The reader's own runs, newest first; ``next_page`` is the token of the next ones."""

    runs: Sequence[ShownRun]
    experiment: str
    next_page: str


def run_of(actor: Actor, run_id: str) -> ShownRun:
    """One run with the course of its metrics; somebody else's is not there."""
    missing = NotFound(f"There is no run {run_id[:64]}.")
    if not RUN_ID.fullmatch(run_id):
        raise missing
    tracking = tracking_server()
    try:
        run = tracking.run(run_id)
    except NotFound:
        # Asked as of what is hidden: an answer's time must not tell the two apart.
        may_use(actor, Owned("run_id", run_id, ""))
        raise missing from None
    if not may_use(actor, run.owned):
        raise missing
    metrics = []
    for place, (name, value) in enumerate(sorted(run.metrics.items())):
        course = tracking.metric_course(run.id, name, MOST_DRAWN) if place < MOST_HISTORIES else []
        metrics.append(Metric(name, value, course if len(course) > 1 else ()))
    versions = _versions(actor, [run])
    return ShownRun(run, tracking.experiment_name(run.experiment_id), versions.get(run.id, ()), metrics)


def runs_of(actor: Actor, experiment_id: str, page: str) -> RunPage:
    """The actor's own runs, of one experiment or of all."""
    if experiment_id and not EXPERIMENT_ID.fullmatch(experiment_id):
        raise Invalid(
            "experiment must be the number of an experiment.", field="experiment", allowed="a number"
        )
    tracking = tracking_server()
    of = [str(actor.person_id), experiment_id]
    names = tracking.experiments_of(of[0], MOST_EXPERIMENTS)
    names[SHARED_EXPERIMENT] = tracking.experiment_name(SHARED_EXPERIMENT)
    asked = [experiment_id] if experiment_id else list(names)
    found, following = tracking.runs_of(of[0], asked, RUNS_OF_A_PAGE, _opened(page, of) if page else "")
    versions = _versions(actor, found)
    shown = [
        ShownRun(
            run,
            names.get(run.experiment_id, ""),
            versions.get(run.id, ()),
            [Metric(name, value) for name, value in run.metrics.items()],
        )
        for run in found
    ]
    # The name of an experiment is told to who logged in it, to nobody else.
    return RunPage(
        shown, names.get(experiment_id, "") if shown else "", _sealed(following, of) if following else ""
    )


def _sealed(token: str, of: Sequence[str]) -> str:
    """MLflow's page token, signed for this list: it fails on what it did not give out itself."""
    return signing.dumps([*of, token], salt=PAGES)


def _opened(page: str, of: Sequence[str]) -> str:
    try:
        *belongs_to, token = signing.loads(page, salt=PAGES)
    except signing.BadSignature:
        belongs_to, token = [], ""
    if belongs_to != of:
        raise Invalid("page must be one that the list of runs leads to.", field="page")
    return str(token)


def _versions(actor: Actor, runs: Iterable[Run]) -> dict[str, list[ModelVersion]]:
    found: dict[str, list[ModelVersion]] = {}
    known = ModelVersion.objects.visible_to(actor).filter(run_id__in=[run.id for run in runs])
    for version in known.in_lists().order_by("model__name", "number"):
        found.setdefault(version.run_id, []).append(version)
    return found


def _moment(milliseconds: int) -> datetime | None:
    if not milliseconds:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    except (OverflowError, OSError, ValueError):  # a client may log any number
        return None
