"""Somebody's own runs, page by page, or the parts of one run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from core.actors import Actor
from registry.backends import tracking_server
from registry.runs.asked import BY_METRIC, Asked, Way
from registry.runs.places import Place, opened, sealed
from registry.runs.reading import is_own, plain_metrics
from registry.runs.shown import DELETED, ShownRun
from registry.runs.sight import find_run, seen_of_owner, usable, versions_of
from registry.tracked import NOBODY, Run

# Everybody may log there, and into experiments of their own: a person's runs are nowhere else.
SHARED_EXPERIMENT = "0"
MOST_EXPERIMENTS = 1000
RUNS_OF_A_PAGE = 50
# Metrics that the list offers to be ordered by; an address may name any.
MOST_ORDERS = 100
MOST_EXPERIMENTS_NAMED = 10
# Parts of a page's runs that are counted; of more it is said that there are more.
MOST_PARTS = 500


@dataclass(frozen=True)
class RunPage:
    """The reader's own runs, or those that are part of ``parent``; ``next_page`` is the token of the next ones.

    ``experiments`` are further ones, id and name, that what was looked for names.
    """

    runs: Sequence[ShownRun]
    experiment: str
    next_page: str
    experiments: Sequence[tuple[str, str]] = ()
    parent: ShownRun | None = None


def runs_of(actor: Actor, asked: Asked, page: str) -> RunPage:
    """The actor's own runs, of one experiment or of all; or the parts of one that the actor may see."""
    person = str(actor.person_id)
    of = [person, *astuple(asked)]
    place = opened(page, of) if page else Place()
    parent = find_run(actor, asked.parent) if asked.parent else None
    names = tracking_server().experiments_of(person, MOST_EXPERIMENTS)
    others = [] if parent else asked.experiments_named(names)
    names[SHARED_EXPERIMENT] = tracking_server().experiment_name(SHARED_EXPERIMENT)
    where = parent.experiment_id if parent else asked.experiment
    ways = list(enumerate(asked.ways(names, [where] if where else list(names))))
    ways = ways[place.way : place.way + 1] if page else ways
    # Anybody may call a run of theirs a part: those of the run's owner are.
    owner = (parent.owner or NOBODY) if parent else person
    # Of another's runs only those that may be seen are asked for: a page that was cut would tell of the rest.
    seen_ids = seen_of_owner(actor, owner)
    ways = [(at, way.among(seen_ids)) for at, way in ways]
    found, following, (number, way) = _found(owner, asked, ways, place)
    seen = usable(actor, found) if parent else found
    following_place = place.after(found, following, asked.sort, number) if following else None
    # The name of an experiment is told to who logged in it, to nobody else.
    return RunPage(
        _shown(actor, asked, seen, names),
        names.get(asked.experiment, "") if seen else "",
        sealed(following_place, of) if following_place else "",
        [(each, names[each]) for each in others if way.conditions][:MOST_EXPERIMENTS_NAMED],
        ShownRun(parent, "", (), (), is_own=is_own(actor, parent)) if parent else None,
    )


def _found(
    owner: str, asked: Asked, ways: Sequence[tuple[int, Way]], place: Place
) -> tuple[list[Run], str, tuple[int, Way]]:
    """By the first way that finds something: runs, MLflow's token of those that follow, and which way it was."""
    for numbered in ways:
        _, way = numbered
        found, following = tracking_server().runs_of(
            owner,
            way.experiments,
            RUNS_OF_A_PAGE,
            place.token,
            conditions=[*asked.conditions, *way.conditions, *place.conditions(asked.sort)],
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
