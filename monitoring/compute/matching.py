"""Finding the predictions that labels are about, in the sealed log."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def asked_at(prediction_id: str) -> datetime | None:
    """When the gateway gave this id (a UUID version 7 carries its time); None for a foreign id."""
    try:
        value = uuid.UUID(prediction_id.split(":")[0])
    except ValueError:
        return None
    if value.version != 7:
        return None
    return datetime.fromtimestamp((value.int >> 80) / 1000, UTC)


def event_times(paths: Iterable[Path], ids: Iterable[str]) -> dict[str, datetime]:
    """The event time of each of these predictions that the segments hold as an answer."""
    wanted = pa.array(sorted(set(ids)), pa.string())
    found: dict[str, datetime] = {}
    for path in paths:
        table = pq.read_table(path, columns=["prediction_id", "event_time", "slot"])
        mine = pc.and_(
            pc.is_in(table["prediction_id"], value_set=wanted), pc.not_equal(table["slot"], "shadow")
        )
        rows = table.filter(mine)
        found.update(zip(rows["prediction_id"].to_pylist(), rows["event_time"].to_pylist(), strict=True))
    return found
