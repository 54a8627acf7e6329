"""What each data set of a list needs from a person, in one line, and how its size went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.urls import reverse

from pipelines.models import ContractCheck, Dataset, DatasetVersion

LOOKS = {"bad": "circle-x", "warn": "triangle-alert", "info": "circle-dashed", "none": "check"}
DRAWN = 12


@dataclass(frozen=True)
class Need:
    """``words`` go on from the newest version's number."""

    tone: str
    words: str
    address: str

    @property
    def icon(self) -> str:
        return LOOKS[self.tone]


def need_of(dataset: Dataset) -> Need:
    """For a data set of ``with_newest`` and ``with_freshness``: asks nothing more."""
    page = reverse("pipelines:dataset", args=[dataset.name])
    status, check = dataset.newest_status, dataset.last_check
    if status == DatasetVersion.Status.FAILED:
        return Need("bad", "could not be read", page)
    if status == DatasetVersion.Status.QUARANTINED:
        return Need("warn", "is quarantined until somebody releases it", page)
    if check == ContractCheck.Status.FAILED:
        return Need("bad", "breaks the contract", page)
    freshness = dataset.freshness
    if freshness.is_late:
        return Need("warn", f"newer data is late by {freshness.late_words}", page)
    if status == DatasetVersion.Status.PENDING:
        return Need("info", "is being read", page)
    if dataset.newest_number is None:
        return Need("info", "no version yet", page)
    if not dataset.has_contract:
        return Need("info", "has no contract to hold", reverse("pipelines:contract", args=[dataset.name]))
    if not check:
        return Need("info", "is not checked yet", page)
    return Need("none", "holds its contract", page)


def sizes_of(datasets: Sequence[Dataset]) -> dict[Any, list[int]]:
    """Rows of the newest ready versions of each, oldest first; one query for all."""
    newest_first = Window(RowNumber(), partition_by=F("dataset"), order_by=F("number").desc())
    versions = DatasetVersion.objects.ready().filter(dataset__in=datasets).annotate(place=newest_first)
    found: dict[Any, list[int]] = defaultdict(list)
    for dataset, rows in (
        versions.filter(place__lte=DRAWN).order_by("dataset", "number").values_list("dataset", "rows")
    ):
        found[dataset].append(rows)
    return found
