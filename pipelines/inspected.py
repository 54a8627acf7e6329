"""What an inspection found out about a version, as services keep it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Inspected:
    """``digest`` and ``size`` are those of the Parquet file that is kept."""

    digest: str
    size: int
    rows: int
    schema: list[dict[str, Any]]
    profile: dict[str, Any]
    event_time_from: datetime | None = None
    event_time_to: datetime | None = None
    results: list[dict[str, Any]] | None = field(default=None)


def moment(value: str | None) -> datetime | None:
    """An ISO 8601 time of the inspection; a plain date is its midnight in UTC."""
    if not value:
        return None
    return datetime.fromisoformat(value if "T" in value else f"{value}T00:00:00+00:00")
