"""Two versions beside each other: at once from their statistics, and from their rows by a worker."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from core.jobs import Lease
from pipelines.inspecting import LIMITS, fetched
from pipelines.models import DatasetVersion, VersionDifference
from pipelines.sandbox import Mount, Sandbox, ask
from pipelines.version_changes import ColumnChange, column_facts, compared_columns, schema_changes

DIFFERENCE = "pipelines.compute.difference"


@dataclass(frozen=True)
class Comparison:
    """What is known of the step from ``before`` to ``after``; ``found`` is None until somebody asks."""

    before: DatasetVersion
    after: DatasetVersion
    found: VersionDifference | None

    @property
    def schema(self) -> list[ColumnChange]:
        return schema_changes(self.before.schema, self.after.schema)

    @property
    def rows(self) -> int:
        return self.after.rows - self.before.rows

    @property
    def is_same_content(self) -> bool:
        return self.before.digest == self.after.digest

    @property
    def is_over(self) -> bool:
        return self.found is not None and self.found.status != VersionDifference.Status.PENDING

    @property
    def moved(self) -> list[dict[str, Any]]:
        """What was measured, what moved most first; keys that were measured once are passed over."""
        compared = _compared(self.before, self.after)
        return [each for each in self.found.columns if each["name"] in compared] if self.found else []

    def columns(self) -> list[dict[str, Any]]:
        """Facts of both sides and, once known, the distribution; what moved most first."""
        moved = {each["name"]: each for each in self.moved}
        rows = [
            {**each, "distribution": moved.get(each["name"])}
            for each in column_facts(self.before.profile, self.after.profile)
        ]
        return sorted(rows, key=lambda row: -((row["distribution"] or {}).get("psi") or 0.0))


def comparison_of(before: DatasetVersion, after: DatasetVersion) -> Comparison:
    """The comparison as far as it is known."""
    return Comparison(before, after, VersionDifference.objects.filter(before=before, after=after).first())


def measure_difference(
    lease: Lease, difference: VersionDifference
) -> tuple[list[dict[str, Any]], Sandbox | None]:
    """Read both versions' rows in a sandbox."""
    before, after = difference.before, difference.after
    columns = _compared(before, after)
    if not columns:
        return [], None
    with tempfile.TemporaryDirectory(prefix="difference-") as name:
        folder = Path(name)
        lease.progress(10, "Fetching both versions")
        mounts = [
            Mount(fetched(before.digest, folder / "before"), "/before"),
            Mount(fetched(after.digest, folder / "after"), "/after"),
        ]
        lease.progress(30, "Comparing column by column")
        answer, program = ask(
            DIFFERENCE,
            {"before": "/before", "after": "/after", "columns": columns},
            mounts=mounts,
            limits=LIMITS,
            required=settings.SANDBOX == "required",
            watch=lease.check,
        )
    found: list[dict[str, Any]] = answer["columns"]
    return found, program


def _compared(before: DatasetVersion, after: DatasetVersion) -> list[str]:
    return compared_columns(before.profile, after.profile, after.dataset.key_columns)
