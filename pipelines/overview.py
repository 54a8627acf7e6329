"""Data sets as lists show them: narrowed, with their newest version and its last check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Count, Exists, OuterRef, Subquery

from core.actors import Actor
from pipelines.models import ContractCheck, DataContract, Dataset, DatasetVersion, FreshnessAlarm
from pipelines.models.datasets import DatasetQuerySet, DatasetVersionQuerySet

STATES = {
    "late": "Late",
    "failing": "Newest version breaks the contract",
    "quarantined": "With quarantined versions",
    "unpromised": "Without a contract",
}


def narrowed(rows: DatasetQuerySet, actor: Actor, asked: Mapping[str, Any]) -> DatasetQuerySet:
    """By part of a name, by owner, and by what needs a look."""
    if text := asked.get("q"):
        rows = rows.filter(name__icontains=text.replace("\x00", ""))
    if asked.get("show") == "mine":
        rows = rows.filter(owner=actor.person_id)
    if state := asked.get("state"):
        rows = rows.filter(_QUESTIONS[state]())
    return rows


def with_newest(rows: DatasetQuerySet) -> DatasetQuerySet:
    """With its newest version's number, label, status, age and last check, and how many there are."""
    newest = DatasetVersion.objects.filter(dataset=OuterRef("pk")).order_by("-number")
    counted = DatasetVersion.objects.filter(dataset=OuterRef("pk")).order_by().values("dataset")
    return rows.annotate(
        version_count=Subquery(counted.annotate(count=Count("pk")).values("count")),
        newest_number=Subquery(newest.values("number")[:1]),
        newest_label=Subquery(newest.values("label")[:1]),
        newest_status=Subquery(newest.values("status")[:1]),
        newest_at=Subquery(newest.values("created_at")[:1]),
        last_check=Subquery(with_last_check(newest).values("check_status")[:1]),
        has_contract=Exists(DataContract.objects.filter(dataset=OuterRef("pk"))),
    )


def with_last_check(versions: DatasetVersionQuerySet) -> DatasetVersionQuerySet:
    """With the status of the newest check of each."""
    checks = ContractCheck.objects.filter(version=OuterRef("pk")).order_by("-checked_at", "-pk")
    return versions.annotate(check_status=Subquery(checks.values("status")[:1]))


def newest_to_show(dataset: Dataset) -> DatasetVersion | None:
    """The newest version that was read; one that could not be only where there is no other."""
    newest_first = dataset.versions.order_by("-number")
    found: DatasetVersion | None = newest_first.exclude(digest="").first() or newest_first.first()
    return found


def unread_after(version: DatasetVersion) -> DatasetVersion | None:
    """The newest of the versions that came after this one and have no rows, or not yet."""
    newer = DatasetVersion.objects.filter(dataset=version.dataset_id, number__gt=version.number)
    return newer.filter(digest="").in_lists().order_by("-number").first()


def late_datasets(actor: Actor) -> DatasetQuerySet:
    """Those the actor may see whose alarm is open."""
    return narrowed(Dataset.objects.visible_to(actor), actor, {"state": "late"})


def _newest_fails() -> Exists:
    newest = DatasetVersion.objects.filter(dataset=OuterRef("dataset")).order_by("-number").values("pk")[:1]
    rows = DatasetVersion.objects.filter(dataset=OuterRef("pk"), pk=Subquery(newest))
    return Exists(with_last_check(rows).filter(check_status=ContractCheck.Status.FAILED))


def _is_withheld() -> Exists:
    quarantined = DatasetVersion.Status.QUARANTINED
    return Exists(DatasetVersion.objects.filter(dataset=OuterRef("pk"), status=quarantined))


_QUESTIONS: dict[str, Callable[[], Any]] = {
    "late": lambda: Exists(FreshnessAlarm.objects.open().filter(dataset=OuterRef("pk"))),
    "failing": _newest_fails,
    "quarantined": _is_withheld,
    "unpromised": lambda: ~Exists(DataContract.objects.filter(dataset=OuterRef("pk"))),
}
