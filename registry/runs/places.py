"""Where a list of runs goes on: after the last one that was shown, whatever has been logged since.

MLflow's own tokens count rows, so that a run started meanwhile would show one of them twice; they
are kept for orders by a metric, which its search cannot ask for "after this value".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core import signing

from core.errors import Invalid
from registry.tracked import Run

PAGES = "registry.runs.page"
# Started in the same millisecond as the last one; more of them would fit in no address.
MOST_OF_A_MOMENT = 60
# The order by start -> which runs come after one.
AFTER = {"": "<=", "oldest": ">="}


@dataclass(frozen=True)
class Place:
    """The moment the last run started, the runs of that moment that were shown, and MLflow's token from there on.

    ``way`` is the search that found them, of those that what was looked for may mean.
    """

    token: str = ""
    moment: int | None = None
    shown: Sequence[str] = ()
    way: int = 0

    def conditions(self, sort: str) -> list[str]:
        if self.moment is None:
            return []
        names = ", ".join(f"'{run}'" for run in self.shown)
        return [f"attributes.start_time {AFTER[sort]} {self.moment}", f"attributes.run_id NOT IN ({names})"]

    def after(self, runs: Sequence[Run], token: str, sort: str, way: int) -> Place:
        """The place after these runs, which follow this one; ``token`` is what MLflow gave with them."""
        counted = Place(token, self.moment, self.shown, way)
        if self.token or sort not in AFTER:
            return counted
        moment = runs[-1].started_at_ms
        known = self.shown if moment == self.moment else ()
        shown = [*known, *(run.id for run in runs if run.started_at_ms == moment)]
        return Place("", moment, shown, way) if len(shown) <= MOST_OF_A_MOMENT else counted


def sealed(place: Place, of: Sequence[str]) -> str:
    """Signed for this list: it fails on what it did not give out itself."""
    said = [place.token, place.moment, list(place.shown), place.way]
    return signing.dumps([*of, *said], salt=PAGES, compress=True)


def opened(page: str, of: Sequence[str]) -> Place:
    try:
        *belongs_to, token, moment, shown, way = signing.loads(page, salt=PAGES)
    except (signing.BadSignature, ValueError):
        belongs_to, token, moment, shown, way = [], "", None, [], 0
    if belongs_to != of:
        raise Invalid("page must be one that the list of runs leads to.", field="page")
    return Place(str(token), moment, shown, way)
