"""The list of somebody's own runs: found by name and status, in the order of their start or of a metric."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.actors import Actor
from core.errors import Invalid
from registry.backends import tracking_server
from registry.runs.places import Place, opened, sealed
from registry.runs.reading import is_own, plain_metrics
from registry.runs.shown import STATUSES, ShownRun
from registry.runs.sight import find_run, usable, versions_of
from registry.tracked import NOBODY, PARENT

EXPERIMENT_ID = re.compile(r"[0-9]{1,9}")
# Everybody may log there, and into experiments of their own: a person's runs are nowhere else.
SHARED_EXPERIMENT = "0"
MOST_EXPERIMENTS = 1000
RUNS_OF_A_PAGE = 50
# Metrics that the list offers to be ordered by; an address may name any.
MOST_ORDERS = 100
OF_STATUS = {ours: theirs for theirs, ours in STATUSES.items()}
STARTS = {"": "attributes.start_time DESC", "oldest": "attributes.start_time ASC"}
# ``metric:auc`` begins with the highest, ``-metric:loss`` with the lowest; of the names that MLflow takes.
BY_METRIC = re.compile(r"(-?)metric:([\w.\-/: ]{1,250})")
SORTS = "oldest, metric:<name>, -metric:<name>; without it the newest are first"


@dataclass(frozen=True)
class Asked:
    """What an address asks of the list."""

    experiment: str = ""
    q: str = ""
    status: str = ""
    sort: str = ""
    # The run that all of them are part of.
    parent: str = ""

    def __post_init__(self) -> None:
        if self.experiment and not EXPERIMENT_ID.fullmatch(self.experiment):
            raise Invalid(
                "experiment must be the number of an experiment.", field="experiment", allowed="a number"
            )
        if self.sort not in STARTS and not BY_METRIC.fullmatch(self.sort):
            raise Invalid(f"sort must be one of: {SORTS}.", field="sort", allowed=SORTS)

    @property
    def metric(self) -> str:
        found = BY_METRIC.fullmatch(self.sort)
        return found[2] if found else ""

    @property
    def is_ascending(self) -> bool:
        return self.sort.startswith("-")

    @property
    def order(self) -> str:
        if not self.metric:
            return STARTS[self.sort]
        return f"metrics.`{self.metric}` {'ASC' if self.is_ascending else 'DESC'}"

    @property
    def conditions(self) -> list[str]:
        found = [name_holding(self.q)] if self.q else []
        found += [f"attributes.status = '{OF_STATUS[self.status]}'"] if self.status else []
        return [*found, *([f"tags.`{PARENT}` = '{self.parent}'"] if self.parent else [])]

    @property
    def is_narrowed(self) -> bool:
        return bool(self.q or self.status)


@dataclass(frozen=True)
class RunPage:
    """The reader's own runs, or those that are part of ``parent``; ``next_page`` is the token of the next ones."""

    runs: Sequence[ShownRun]
    experiment: str
    next_page: str
    parent: ShownRun | None = None


def runs_of(actor: Actor, asked: Asked, page: str) -> RunPage:
    """The actor's own runs, of one experiment or of all; or the parts of one that the actor may see."""
    tracking = tracking_server()
    person = str(actor.person_id)
    of = [person, asked.experiment, asked.q, asked.status, asked.sort, asked.parent]
    parent = find_run(actor, asked.parent) if asked.parent else None
    names = tracking.experiments_of(person, MOST_EXPERIMENTS)
    names[SHARED_EXPERIMENT] = tracking.experiment_name(SHARED_EXPERIMENT)
    where = parent.experiment_id if parent else asked.experiment
    place = opened(page, of) if page else Place()
    # Anybody may call a run of theirs a part: those of the run's owner are.
    found, following = tracking.runs_of(
        (parent.owner or NOBODY) if parent else person,
        [where] if where else list(names),
        RUNS_OF_A_PAGE,
        place.token,
        conditions=[*asked.conditions, *place.conditions(asked.sort)],
        order=asked.order,
    )
    seen = usable(actor, found) if parent else found
    versions = versions_of(actor, seen)
    shown = [
        ShownRun(
            run,
            names.get(run.experiment_id, ""),
            versions.get(run.id, ()),
            plain_metrics(run),
            by=asked.metric,
        )
        for run in seen
    ]
    # The name of an experiment is told to who logged in it, to nobody else.
    return RunPage(
        shown,
        names.get(asked.experiment, "") if shown else "",
        sealed(place.after(found, following, asked.sort), of) if following else "",
        ShownRun(parent, "", (), (), is_own=is_own(actor, parent)) if parent else None,
    )


def orders_of(asked: Asked, page: RunPage) -> list[tuple[str, str]]:
    """By which metrics the list can be ordered, as far as its runs say: value and words."""
    named = {metric.name for each in page.runs for metric in each.metrics} | ({asked.metric} - {""})
    names = sorted(name for name in named if BY_METRIC.fullmatch(f"metric:{name}"))[:MOST_ORDERS]
    return [
        order
        for name in names
        for order in (
            (f"metric:{name}", f"{name}, highest first"),
            (f"-metric:{name}", f"{name}, lowest first"),
        )
    ]


def name_holding(text: str) -> str:
    """A condition of MLflow's search; its strings know no escape for the quote that they stand in."""
    if "'" in text and '"' in text:
        raise Invalid("q may hold ' or \", not both.", field="q", allowed="one kind of quote")
    quote = '"' if "'" in text else "'"
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return f"attributes.run_name ILIKE {quote}%{escaped}%{quote}"
