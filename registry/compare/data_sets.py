"""What two versions were made from, data set by data set: versions, rows, time, and what moved between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from pipelines.models import DatasetVersion, VersionDifference
from registry.models import VersionDataset

MOST_MOVED = 3
Pair = tuple[Any, Any]


@dataclass(frozen=True)
class Side:
    """The versions of one data set behind one version of the model, in one role."""

    versions: list[DatasetVersion]

    @property
    def rows(self) -> int:
        return sum(each.rows or 0 for each in self.versions)

    @property
    def words(self) -> str:
        """Their names: the one, or the first and the last of many."""
        names = [each.label or f"v{each.number}" for each in self.versions]
        if len(names) < 2:
            return "".join(names)
        return f"{len(names)} versions, {names[0]} to {names[-1]}"

    @property
    def since(self) -> datetime | None:
        return min((each.event_time_from for each in self.versions if each.event_time_from), default=None)

    @property
    def until(self) -> datetime | None:
        return max((each.event_time_to for each in self.versions if each.event_time_to), default=None)


@dataclass(frozen=True)
class DataDifference:
    """``moved`` names the columns that moved furthest between the newest version of either side."""

    name: str
    role: str
    a: Side
    b: Side
    measured: VersionDifference | None = None

    @property
    def sides(self) -> tuple[Side, Side]:
        return (self.a, self.b)

    @property
    def is_same(self) -> bool:
        return {each.pk for each in self.a.versions} == {each.pk for each in self.b.versions}

    @property
    def rows(self) -> int:
        return self.b.rows - self.a.rows

    @property
    def ends(self) -> tuple[DatasetVersion, DatasetVersion] | None:
        """The newest of each side, when a page can hold them beside each other."""
        if not (self.a.versions and self.b.versions):
            return None
        before, after = self.a.versions[-1], self.b.versions[-1]
        return None if before == after else (before, after)

    @property
    def address(self) -> str:
        """The page that holds both ends beside each other, else the data set's own."""
        if self.ends is None:
            return reverse("pipelines:dataset", args=[self.name])
        before, after = self.ends
        asked = urlencode({"a": before.number, "b": after.number})
        return f"{reverse('pipelines:compare-versions', args=[self.name])}?{asked}"

    @property
    def moved(self) -> list[dict[str, Any]]:
        columns = self.measured.columns if self.measured else []
        return [each for each in columns if each.get("level") in {"warn", "alert"}][:MOST_MOVED]


def data_differences(a: Sequence[VersionDataset], b: Sequence[VersionDataset]) -> list[DataDifference]:
    """Those that differ first; one query for what was measured between them."""
    sides = [_sides(each) for each in (a, b)]
    keys = sorted({*sides[0], *sides[1]})
    found = [DataDifference(*key, sides[0].get(key, Side([])), sides[1].get(key, Side([]))) for key in keys]
    measured = _measured([each.ends for each in found if each.ends])
    told = [
        DataDifference(each.name, each.role, each.a, each.b, measured.get(_keys(each.ends))) for each in found
    ]
    return sorted(told, key=lambda each: each.is_same)


def _sides(uses: Sequence[VersionDataset]) -> dict[tuple[str, str], Side]:
    sides: dict[tuple[str, str], Side] = {}
    for use in sorted(uses, key=lambda use: use.dataset_version.number):
        key = (use.dataset_version.dataset.name, use.get_role_display())
        sides.setdefault(key, Side([])).versions.append(use.dataset_version)
    return sides


def _keys(ends: tuple[DatasetVersion, DatasetVersion] | None) -> Pair:
    return (ends[0].pk, ends[1].pk) if ends else (None, None)


def _measured(pairs: Sequence[tuple[DatasetVersion, DatasetVersion]]) -> Mapping[Pair, VersionDifference]:
    asked = Q(pk__in=[])
    for before, after in pairs:
        asked |= Q(before=before, after=after)
    rows = VersionDifference.objects.filter(asked, status=VersionDifference.Status.READY)
    return {(each.before_id, each.after_id): each for each in rows}
