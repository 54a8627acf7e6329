"""Whether the rows a version is judged on were kept from its training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelines.models import DatasetVersion
from pipelines.services import ancestors_of, descendants_of
from registry.models import ModelVersion, VersionDataset

Role = VersionDataset.Role


def training_data_behind(version: ModelVersion, heldout: DatasetVersion) -> list[DatasetVersion]:
    """What a version was trained on that holds rows of a hold-out: it has seen them.

    The very same data always does, whatever the run says of a split: an evaluation scores all of its rows.
    A hold-out of the version's own that was split off was left out of what it was cut from.
    """
    related = version.datasets.select_related("dataset_version__dataset")
    uses = list(related.defer("dataset_version__profile", "dataset_version__schema"))
    trained = _in_role(uses, Role.TRAINING)
    same = [data for data in trained if _is_same(data, heldout)]
    if len(same) == len(trained):
        return same
    kin = {each.pk for each in descendants_of(heldout)}
    if not (heldout in _in_role(uses, Role.HOLDOUT) and _was_split_off(version, heldout)):
        kin |= {each.pk for each in ancestors_of(heldout)}
    return [data for data in trained if data in same or (data.pk in kin and _times_meet(data, heldout))]


def own_holdout(version: ModelVersion) -> VersionDataset | None:
    """What the version's run held out, if it names it: promotions have it evaluated there."""
    held = version.datasets.filter(role=Role.HOLDOUT).select_related("dataset_version__dataset")
    return held.defer("dataset_version__profile").first()


def _in_role(uses: Iterable[VersionDataset], role: str) -> list[DatasetVersion]:
    return [use.dataset_version for use in uses if use.role == role]


def _is_same(one: DatasetVersion, other: DatasetVersion) -> bool:
    """The same version, or the same content under another name."""
    return one.pk == other.pk or bool(one.digest and one.digest == other.digest)


def _was_split_off(version: ModelVersion, heldout: DatasetVersion) -> bool:
    """Whether who cut the rows, or the run, says that they were held out."""
    derivation: dict[str, Any] = heldout.derivation
    return bool(derivation.get("step") == "holdout" or derivation.get("kind") or version.holdout.get("kind"))


def _times_meet(one: DatasetVersion, other: DatasetVersion) -> bool:
    mine, theirs = (one.event_time_from, one.event_time_to), (other.event_time_from, other.event_time_to)
    if None in (*mine, *theirs):
        return True  # not known: rather warn
    return bool(mine[0] <= theirs[1] and theirs[0] <= mine[1])
