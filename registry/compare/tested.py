"""Whether two versions were tested on the same rows; without that no difference is a finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from registry.models import ModelVersion, VersionDataset

# Facts of a hold-out that say which rows it holds; the rest (who, how many) follows from them.
SPLIT = ("kind", "test_fraction", "seed", "group_column", "split_at")


@dataclass(frozen=True)
class HeldOut:
    """Which rows a run tested on: digests of the hold-out, or of the data a split was taken from."""

    digests: frozenset[str]
    split: tuple[Any, ...]
    words: str

    @property
    def is_known(self) -> bool:
        return bool(self.digests)


def heldout_of(
    version: ModelVersion, uses: Sequence[VersionDataset], seen: Sequence[VersionDataset]
) -> HeldOut:
    """``uses`` are all data of the version, ``seen`` those that the reader may be told of."""
    tested = [use for use in uses if use.role == VersionDataset.Role.HOLDOUT]
    named = [use for use in seen if use.role == VersionDataset.Role.HOLDOUT]
    if tested:
        digests = frozenset(use.dataset_version.digest for use in tested)
        return HeldOut(digests, (), _names(named) or "data that you may not see")
    trained = [use for use in uses if use.role == VersionDataset.Role.TRAINING]
    if not trained or not version.holdout.get("kind"):
        return HeldOut(frozenset(), (), "not known")
    digests = frozenset(use.dataset_version.digest for use in trained)
    split = tuple(str(version.holdout.get(name, "")) for name in SPLIT)
    of = _names([use for use in seen if use.role == VersionDataset.Role.TRAINING]) or "its training data"
    return HeldOut(digests, split, f"a part of {of}")


def why_not_comparable(a: HeldOut, b: HeldOut) -> str:
    """A sentence for people, or the empty string when both were tested on the same rows."""
    if not (a.is_known and b.is_known):
        return "It is not known on which rows both runs were tested: a run has to name its hold-out."
    if a.digests != b.digests:
        return f"They were tested on different data: {a.words} and {b.words}."
    if bool(a.split) != bool(b.split):
        return f"One was tested on all of the data, the other on a part of it: {a.words} and {b.words}."
    if a.split != b.split:
        return f"Their hold-outs were split differently from the same data: {_split(a)} and {_split(b)}."
    return ""


def _split(data: HeldOut) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in zip(SPLIT, data.split, strict=True) if value
    )


def _names(uses: Sequence[VersionDataset]) -> str:
    said = [
        f"{use.dataset_version.dataset.name} {use.dataset_version.label or f'v{use.dataset_version.number}'}"
        for use in uses
    ]
    return ", ".join(said[:3]) + (f" and {len(said) - 3} more" if len(said) > 3 else "")
