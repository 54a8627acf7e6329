"""The blast radius of a data set version: what was made from it, packages above adding theirs.

Every part is limited to what the reader may see, so nothing that is hidden is counted either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from core.actors import Actor
from pipelines.models import DatasetVersion, PipelineRun, RunDataset
from pipelines.services.validity import descendants_of

MOST, FEW = 100, 3
# Role of data -> what was done with it.
PARTS_PLAYED = {"training": "trained on", "holdout": "held out", "reference": "live data compared with"}


@dataclass(frozen=True)
class Touched:
    """One thing that a data set version had a part in."""

    name: str
    address: str
    words: str
    status: str = ""
    at: datetime | None = None
    count: int | None = None


@dataclass(frozen=True)
class Part:
    """Things of one kind; ``total`` counts all that the reader may see, ``items`` are the newest."""

    key: str
    title: str
    icon: str
    items: tuple[Touched, ...] = ()
    total: int = 0
    counted: str = ""

    @property
    def sum(self) -> int:
        return sum(each.count or 0 for each in self.items)

    @property
    def hidden(self) -> int:
        return self.total - len(self.items)


Loader = Callable[[Actor, Sequence[DatasetVersion]], Part]
_loaders: list[tuple[int, Loader]] = []


def register(order: int, load: Loader) -> None:
    """Add a part; ``load`` gets the version and every version made from it. Call from ``AppConfig.ready``."""
    if (order, load) not in _loaders:
        _loaders.append((order, load))
        _loaders.sort(key=lambda each: each[0])


def impact_of(actor: Actor, version: DatasetVersion) -> list[Part]:
    """Data, runs, and what packages above know of, in the order of the chain."""
    made = descendants_of(version)
    seen = DatasetVersion.objects.visible_to(actor).filter(pk__in=[each.pk for each in made])
    visible = set(seen.values_list("pk", flat=True))
    derived = [each for each in made if each.pk in visible]
    reached = [version, *derived]
    parts = [_derived(derived), _runs(actor, reached)]
    return parts + [load(actor, reached) for _, load in _loaders]


def as_json(parts: Sequence[Part]) -> dict[str, Any]:
    """For REST: each part by its key."""
    return {part.key: {"total": part.total, "items": [asdict(each) for each in part.items]} for part in parts}


def _derived(versions: list[DatasetVersion]) -> Part:
    items = tuple(
        Touched(
            str(each),
            f"/data/{each.dataset.name}/?version={each.number}",
            each.label or "made from it",
            each.status,
            each.created_at,
        )
        for each in versions[:MOST]
    )
    return Part("datasets", "Data made from it", "database", items, len(versions))


def _runs(actor: Actor, versions: Sequence[DatasetVersion]) -> Part:
    read = RunDataset.objects.filter(version__in=versions).exclude(role=RunDataset.Role.OUTPUT)
    uses = read.select_related("version__dataset").defer("version__profile", "version__schema")
    runs = (
        PipelineRun.objects.visible_to(actor)
        .filter(pk__in=read.values("run"))
        .select_related("pipeline")
        .defer("log")
        .prefetch_related(Prefetch("datasets", uses.order_by("version__created_at"), to_attr="reads"))
        .order_by("-created_at")
    )
    items = tuple(
        Touched(
            f"{run.pipeline.name} {str(run.pk)[:8]}",
            f"/pipelines/{run.pipeline.name}/runs/{run.pk}/",
            parts_played((use.role, str(use.version)) for use in run.reads),
            run.status,
            run.created_at,
        )
        for run in runs[:MOST]
    )
    return Part("runs", "Pipeline runs", "workflow", items, runs.count())


def parts_played(uses: Iterable[tuple[str, str]]) -> str:
    """``trained on flights v1; held out flights-holdout v2``: one thing is told once, with all it used."""
    by_role: dict[str, list[str]] = {}
    for role, name in uses:
        by_role.setdefault(role, []).append(name)
    return "; ".join(
        f"{words} {_some(by_role[role])}" for role, words in PARTS_PLAYED.items() if role in by_role
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {more} more" if more > 0 else "")
