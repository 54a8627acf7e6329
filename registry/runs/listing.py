"""The list of somebody's own runs: found by what they are called and status, ordered by their start or a metric."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core import signing

from core.actors import Actor
from core.errors import Invalid
from registry.backends import tracking_server
from registry.runs.reading import plain_metrics
from registry.runs.shown import ALL, DELETED, STATUSES, ShownRun
from registry.runs.sight import versions_of
from registry.tracked import PARENT, Run

EXPERIMENT_ID = re.compile(r"[0-9]{1,9}")
# Everybody may log there, and into experiments of their own: a person's runs are nowhere else.
SHARED_EXPERIMENT = "0"
MOST_EXPERIMENTS = 1000
RUNS_OF_A_PAGE = 50
# Metrics that the list offers to be ordered by; an address may name any.
MOST_ORDERS = 100
PAGES = "registry.runs.page"
OF_STATUS = {ours: theirs for theirs, ours in STATUSES.items()}
STARTS = {"": "attributes.start_time DESC", "oldest": "attributes.start_time ASC"}
# ``metric:auc`` begins with the highest, ``-metric:loss`` with the lowest; of the names that MLflow takes.
BY_METRIC = re.compile(r"(-?)metric:([\w.\-/: ]{1,250})")
# What can only be meant as the beginning of a run's id: pages show eight of its digits.
ID_BEGINS = re.compile(r"[0-9a-f]{6,32}")
MOST_EXPERIMENTS_NAMED = 10
# Parts of a page's runs that are counted; of more it is said that there are more.
MOST_PARTS = 500
SORTS = "oldest, metric:<name>, -metric:<name>; without it the newest are first"


@dataclass(frozen=True)
class Way:
    """One of the searches that what was looked for may mean."""

    conditions: Sequence[str]
    experiments: Sequence[str]


@dataclass(frozen=True)
class Asked:
    """What an address asks of the list."""

    experiment: str = ""
    q: str = ""
    status: str = ""
    sort: str = ""
    show: str = ""
    # In MLflow's own words.
    filter: str = ""

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
        whole = [f"tags.`{PARENT}` IS NULL"] if self.is_of_whole_runs else []
        return [
            *whole,
            *([f"attributes.status = '{OF_STATUS[self.status]}'"] if self.status in OF_STATUS else []),
        ]

    def ways(self, experiments: Mapping[str, str]) -> list[Way]:
        """How ``q`` may be meant, likeliest first: as the beginning of an id, a name, an experiment's name."""
        within = [self.experiment] if self.experiment else list(experiments)
        if not self.q:
            return [Way((), within)]
        name = Way((f"attributes.run_name ILIKE {_holding(self.q)}",), within)
        by_id = [Way((f"attributes.run_id LIKE '{self.q}%'",), within)] if ID_BEGINS.fullmatch(self.q) else []
        named = [] if self.experiment else self.experiments_named(experiments)
        return [*by_id, name, *([Way((), named)] if named else [])]

    def experiments_named(self, experiments: Mapping[str, str]) -> list[str]:
        wanted = self.q.lower()
        return [each for each, name in experiments.items() if wanted and wanted in name.lower()]

    @property
    def is_narrowed(self) -> bool:
        return bool(self.q or self.status or self.filter)

    @property
    def is_of_whole_runs(self) -> bool:
        """Parts of other runs are left out, until all are asked for or something is looked for."""
        return self.show != ALL and not self.is_narrowed


@dataclass(frozen=True)
class RunPage:
    """The reader's own runs; ``next_page`` is the token of the next ones.

    ``experiments`` are further ones, id and name, that what was looked for names.
    """

    runs: Sequence[ShownRun]
    experiment: str
    next_page: str
    experiments: Sequence[tuple[str, str]] = ()


def runs_of(actor: Actor, asked: Asked, page: str) -> RunPage:
    """The actor's own runs, of one experiment or of all."""
    person = str(actor.person_id)
    of = [person, asked.experiment, asked.q, asked.status, asked.sort, asked.show, asked.filter]
    names = tracking_server().experiments_of(person, MOST_EXPERIMENTS)
    others = asked.experiments_named(names)
    names[SHARED_EXPERIMENT] = tracking_server().experiment_name(SHARED_EXPERIMENT)
    ways = list(enumerate(asked.ways(names)))
    token = ""
    if page:
        number, token = _opened(page, of)
        ways = ways[number : number + 1] or ways[:1]
    found, following, (number, way) = _found(person, asked, ways, token)
    # The name of an experiment is told to who logged in it, to nobody else.
    return RunPage(
        _shown(actor, asked, found, names),
        names.get(asked.experiment, "") if found else "",
        _sealed(number, following, of) if following else "",
        [(each, names[each]) for each in others if way.conditions][:MOST_EXPERIMENTS_NAMED],
    )


def _found(
    person: str, asked: Asked, ways: Sequence[tuple[int, Way]], token: str
) -> tuple[list[Run], str, tuple[int, Way]]:
    """By the first way that finds something: runs, MLflow's token of those that follow, and which way it was."""
    for numbered in ways:
        _, way = numbered
        found, following = tracking_server().runs_of(
            person,
            way.experiments,
            RUNS_OF_A_PAGE,
            token,
            conditions=[*asked.conditions, *way.conditions],
            own_filter=asked.filter,
            order=asked.order,
            of_deleted=asked.status == DELETED,
        )
        if found:
            break
    return found, following, numbered


def _shown(actor: Actor, asked: Asked, found: Sequence[Run], names: Mapping[str, str]) -> list[ShownRun]:
    versions = versions_of(actor, found)
    counted = tracking_server().parts_of(found, MOST_PARTS) if asked.is_of_whole_runs else (Counter(), False)
    parts, has_more = counted
    return [
        ShownRun(
            run,
            names.get(run.experiment_id, ""),
            versions.get(run.id, ()),
            plain_metrics(run),
            by=asked.metric,
            parts=parts[run.id],
            has_more_parts=has_more,
        )
        for run in found
    ]


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


def _holding(text: str) -> str:
    """A pattern for MLflow's search; its strings know no escape for the quote that they stand in."""
    if "'" in text and '"' in text:
        raise Invalid("q may hold ' or \", not both.", field="q", allowed="one kind of quote")
    quote = '"' if "'" in text else "'"
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return f"{quote}%{escaped}%{quote}"


def _sealed(way: int, token: str, of: Sequence[str]) -> str:
    """MLflow's page token, signed for this list: it fails on what it did not give out itself."""
    return signing.dumps([*of, way, token], salt=PAGES)


def _opened(page: str, of: Sequence[str]) -> tuple[int, str]:
    try:
        *belongs_to, way, token = signing.loads(page, salt=PAGES)
    except (signing.BadSignature, ValueError):
        belongs_to, way, token = [], 0, ""
    if belongs_to != of:
        raise Invalid("page must be one that the list of runs leads to.", field="page")
    return way, token
