"""The blast radius of a data set version: what was made from it, packages above adding theirs.

Every part is limited to what the reader may see, so nothing that is hidden is counted either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from core.actors import Actor
from pipelines.models import DatasetVersion, PipelineRun, RunDataset
from pipelines.services.validity import descendants_of

MOST = 100


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
    from_visible = RunDataset.objects.filter(version__in=versions).exclude(role=RunDataset.Role.OUTPUT)
    uses = from_visible.filter(run__in=PipelineRun.objects.visible_to(actor)).select_related(
        "run__pipeline", "version__dataset"
    )
    uses = uses.defer("run__log", "version__profile", "version__schema").order_by("-run__created_at")
    items = tuple(
        Touched(
            f"{use.run.pipeline.name} {str(use.run_id)[:8]}",
            f"/pipelines/{use.run.pipeline.name}/runs/{use.run_id}/",
            f"{use.get_role_display()} data {use.version}",
            use.run.status,
            use.run.created_at,
        )
        for use in uses[:MOST]
    )
    return Part("runs", "Pipeline runs", "workflow", items, uses.count())
