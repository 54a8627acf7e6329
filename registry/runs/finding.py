"""Runs by a part of their name or the beginning of their id, for who types and will not wait."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.actors import Actor
from core.errors import Invalid, NotFound
from registry.backends import tracking_server
from registry.models import ModelVersion
from registry.runs.asked import EXPERIMENT_ID, name_holding
from registry.runs.listing import MOST_EXPERIMENTS, SHARED_EXPERIMENT
from registry.runs.sight import usable
from registry.tracked import Run

if TYPE_CHECKING:
    from registry.models.versions import ModelVersionQuerySet
    from registry.tracking import TrackingServer

# As MLflow makes ids; fewer characters are words, or in the ids of too many runs.
RUN_ID_BEGINNING = re.compile(r"[0-9a-f]{4,32}")
LENGTH_OF_ID = 32
# For all questions of one search together.
SECONDS = 1.5


def runs_matching(actor: Actor, words: str, most: int) -> list[Run]:
    """So many of the reader's own, newest first; by id also others' whose pages the reader may open.

    What an id finds stands first. Unavailable where the server takes longer than people wait.
    """
    tracking = tracking_server().within(SECONDS)
    person = str(actor.person_id)
    experiments = [*tracking.experiments_of(person, MOST_EXPERIMENTS), SHARED_EXPERIMENT]
    found: dict[str, Run] = {}
    for condition in _conditions(words):
        own, _ = tracking.runs_of(person, experiments, most, conditions=[condition])
        found |= {run.id: run for run in own if run.id not in found}
    if RUN_ID_BEGINNING.fullmatch(words.lower()):
        others = usable(actor, _of_others(tracking, actor, words.lower(), most))
        found = {run.id: run for run in others if run.id not in found} | found
    return list(found.values())[:most]


def made_from(actor: Actor, beginning: str) -> ModelVersionQuerySet:
    """The visible versions of runs whose ids begin so; a range, since an index of any collation has it."""
    versions = ModelVersion.objects.visible_to(actor)
    return versions.filter(run_id__gte=beginning, run_id__lt=f"{beginning}g")


def _conditions(words: str) -> list[str]:
    """An id's beginning first; MLflow's search knows no "or"."""
    begins = RUN_ID_BEGINNING.fullmatch(words.lower())
    by_id = [f"attributes.run_id LIKE '{words.lower()}%'"] if begins else []
    try:
        return [*by_id, name_holding(words)]
    except Invalid:  # no name can be asked for that holds both kinds of quotes
        return by_id


def _of_others(tracking: TrackingServer, actor: Actor, beginning: str, most: int) -> list[Run]:
    """Candidates: what a visible version was made from, and, by the whole id, any run there is."""
    made = made_from(actor, beginning).ready()
    made = made.exclude(run__has_key="server")  # the run is another installation's
    named = made.order_by("run_id").values_list("run_id", "run__experiment_id").distinct()[:most]
    found = tracking.named({run: str(where) for run, where in named if EXPERIMENT_ID.fullmatch(str(where))})
    if len(beginning) == LENGTH_OF_ID and not found:
        try:
            found = [tracking.run(beginning)]
        except NotFound:
            found = []
    return found
