"""Versions that were deleted, in their places among those that exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from registry.models import ModelVersion, RegisteredModel
from registry.storage.models import Tombstone

MOST = 200
TOLD_ONE_BY_ONE = 3


@dataclass(frozen=True)
class Gap:
    """Deleted versions that are neighbours, newest first; ``more`` of them are not told one by one."""

    stones: list[Tombstone]
    more: int = 0


def with_gaps(model: RegisteredModel, shown: Sequence[ModelVersion], *, is_first: bool, is_last: bool) -> Any:
    """The versions of a page, newest first, with gaps where some between them were deleted."""
    buried = Tombstone.objects.filter(version__model=model).order_by("-number")
    if shown and not is_first:
        buried = buried.filter(number__lt=shown[0].number)
    if shown and not is_last:
        buried = buried.filter(number__gt=shown[-1].number)
    stones = list(buried[:MOST])
    rows: list[ModelVersion | Gap] = []
    for version in shown:
        newer = [each for each in stones if each.number > version.number]
        stones = stones[len(newer) :]
        rows += [*_gap(newer), version]
    return [*rows, *_gap(stones)]


def _gap(stones: list[Tombstone]) -> list[Gap]:
    if not stones:
        return []
    told = stones if len(stones) <= TOLD_ONE_BY_ONE else stones[:1]
    return [Gap(told, len(stones) - len(told))]
