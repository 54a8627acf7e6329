"""What an address asks of a list of runs, in the words of MLflow's search."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import Invalid
from registry.runs.shown import ALL, STATUSES
from registry.tracked import PARENT

EXPERIMENT_ID = re.compile(r"[0-9]{1,9}")
OF_STATUS = {ours: theirs for theirs, ours in STATUSES.items()}
STARTS = {"": "attributes.start_time DESC", "oldest": "attributes.start_time ASC"}
# ``metric:auc`` begins with the highest, ``-metric:loss`` with the lowest; of the names that MLflow takes.
BY_METRIC = re.compile(r"(-?)metric:([\w.\-/: ]{1,250})")
SORTS = "oldest, metric:<name>, -metric:<name>; without it the newest are first"
NO_RUN = "0" * 32
# What can only be meant as the beginning of a run's id: pages show eight of its digits.
ID_BEGINS = re.compile(r"[0-9a-f]{6,32}")


@dataclass(frozen=True)
class Way:
    """One of the searches that what was looked for may mean."""

    conditions: Sequence[str]
    experiments: Sequence[str]

    def among(self, runs: Sequence[str] | None) -> Way:
        """Of these runs alone; an id that no run has where there are none."""
        if runs is None:
            return self
        names = ", ".join(f"'{run}'" for run in runs or [NO_RUN])
        return Way((*self.conditions, f"attributes.run_id IN ({names})"), self.experiments)


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
        found = [f"tags.`{PARENT}` IS NULL"] if self.is_of_whole_runs else []
        found += [f"tags.`{PARENT}` = '{self.parent}'"] if self.parent else []
        return found + (
            [f"attributes.status = '{OF_STATUS[self.status]}'"] if self.status in OF_STATUS else []
        )

    def ways(self, experiments: Mapping[str, str], within: Sequence[str]) -> list[Way]:
        """How ``q`` may be meant, likeliest first: as the beginning of an id, a name, an experiment's name."""
        if not self.q:
            return [Way((), within)]
        name = Way((name_holding(self.q),), within)
        by_id = [Way((f"attributes.run_id LIKE '{self.q}%'",), within)] if ID_BEGINS.fullmatch(self.q) else []
        named = [] if self.experiment or self.parent else self.experiments_named(experiments)
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
        return self.show != ALL and not self.is_narrowed and not self.parent


def name_holding(text: str) -> str:
    """A condition of MLflow's search; its strings know no escape for the quote that they stand in."""
    if "'" in text and '"' in text:
        raise Invalid("q may hold ' or \", not both.", field="q", allowed="one kind of quote")
    quote = '"' if "'" in text else "'"
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return f"attributes.run_name ILIKE {quote}%{escaped}%{quote}"
