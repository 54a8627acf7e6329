"""Changes to kept comparisons of two versions."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor, holds
from core.errors import Conflict, NotAllowed
from core.jobs import enqueue
from core.text import checked_json
from pipelines.models import Dataset, DatasetVersion, VersionDifference

COMPARE = "pipelines.compare_versions"
Status = VersionDifference.Status


@command
def request_difference(*, actor: Actor, before: DatasetVersion, after: DatasetVersion) -> VersionDifference:
    """Have a worker compare the rows of two versions; what was compared is not compared again."""
    for version in (before, after):
        if not holds(actor, "view", version.dataset):
            raise NotAllowed(f"You may not compare {version}; it needs the right to view.")
    require_comparable(before, after)
    if before.dataset_id != after.dataset_id:
        raise Conflict(f"{before} and {after} are versions of two data sets.")
    Dataset.objects.select_for_update().get(pk=before.dataset_id)
    row, is_new = VersionDifference.objects.get_or_create(before=before, after=after)
    if not is_new and row.status != Status.FAILED:
        return row
    if not is_new:
        row.move_to(Status.PENDING, failure="", requested_at=Now())
    record(
        actor=actor, action="pipelines.difference_requested", target=after, after={"before": before.number}
    )
    enqueue(COMPARE, subject=row, actor=actor)
    return row


def require_comparable(before: DatasetVersion, after: DatasetVersion) -> None:
    """Two versions that have been read; of others nothing is known that could differ."""
    if before.pk == after.pk:
        raise Conflict(f"{before} is the same version on both sides.", field="b")
    for version in (before, after):
        if not version.digest:
            raise Conflict(
                f"{version} is {version.get_status_display().lower()}, so there is nothing to compare yet."
            )


@command
def keep_difference(
    *, actor: Actor, difference: VersionDifference, columns: list[dict[str, Any]]
) -> VersionDifference:
    """Keep what a worker measured."""
    _require_system(actor)
    difference.move_to(Status.READY, columns=checked_json(columns, "columns"), finished_at=Now())
    after = {
        "before": difference.before.number,
        "moved": [each["name"] for each in columns if each["level"] in {"warn", "alert"}][:50],
    }
    record(actor=actor, action="pipelines.versions_compared", target=difference.after, after=after)
    return difference


@command
def fail_difference(*, actor: Actor, difference: VersionDifference, reason: str) -> VersionDifference:
    """Say why it could not be measured; it may be asked for again."""
    _require_system(actor)
    difference.move_to(Status.FAILED, failure=reason.replace("\x00", "")[:1000], finished_at=Now())
    record(
        actor=actor,
        action="pipelines.comparison_failed",
        target=difference.after,
        reason=reason,
        outcome="failed",
    )
    return difference


def _require_system(actor: Actor) -> None:
    if not actor.is_system:
        raise NotAllowed("Only a worker compares versions.")
