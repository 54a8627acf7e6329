"""Reading one sealed segment of the request log: health by the minute, sketches by the day."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from measures.frames import TableFrame
from measures.latency import LatencyHistogram
from measures.scan import sketch_windows

SCORED = 200
INPUT = "in_"
MINUTE_US = 60_000_000
MOST_ISSUES = 50


@dataclass
class DayReading:
    """A segment's rows of one day of event time: scored ``rows``, refusals, their sketch."""

    rows: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    sketch: bytes = b""


@dataclass
class SegmentReading:
    """``minutes`` is by role and minute served; ``days`` by role and day of event time."""

    minutes: dict[str, dict[str, dict[str, Any]]]
    days: dict[tuple[str, date], DayReading]
    event_to: datetime | None
    served_to: datetime | None


def role_of(slot: str) -> str:
    """Stable and canary rows were answers; a shadow's were not."""
    return "shadow" if slot == "shadow" else "served"


def read_segment(path: Path, frame: TableFrame | None) -> SegmentReading:
    """One pass over a segment; without a frame (no reference yet) health and refusals only."""
    wanted = set(frame.columns) if frame is not None else set()
    names = pq.read_schema(path).names
    fixed = ["prediction_id", "served_at", "event_time", "slot", "status", "latency_ms", "issues"]
    columns = [*fixed, *(name for name in names if name in wanted and name not in fixed)]
    table = pq.read_table(path, columns=columns)
    roles = pc.if_else(pc.equal(table["slot"], "shadow"), "shadow", "served")
    days = pc.cast(pc.floor_temporal(table["event_time"], unit="day"), pa.date32())
    table = table.append_column("role", roles).append_column("day", days)
    return SegmentReading(
        minutes=_minutes(table),
        days=_days(table, frame),
        event_to=pc.max(table["event_time"]).as_py(),
        served_to=pc.max(table["served_at"]).as_py(),
    )


def _minutes(table: pa.Table) -> dict[str, dict[str, dict[str, Any]]]:
    """Requests by the minute: a request of several rows counts once, with its own latency."""
    request = pc.replace_substring_regex(table["prediction_id"], pattern=r":\d+$", replacement="")
    codes = np.asarray(pc.dictionary_encode(request.combine_chunks()).indices)
    _, first, sizes = np.unique(codes, return_index=True, return_counts=True)
    served = np.asarray(table["served_at"].cast(pa.int64()))[first] // MINUTE_US
    status = np.asarray(table["status"])[first]
    latency = np.asarray(table["latency_ms"])[first]
    roles = np.asarray(table["role"])[first]
    found: dict[str, dict[str, dict[str, Any]]] = {}
    histograms: dict[tuple[str, str], LatencyHistogram] = {}
    for minute, code, took, role, rows in zip(served, status, latency, roles, sizes, strict=True):
        key = datetime.fromtimestamp(int(minute) * 60, UTC).isoformat()
        counts = found.setdefault(str(role), {}).setdefault(
            key, {"requests": 0, "rows": 0, "errors": 0, "refused": 0}
        )
        counts["requests"] += 1
        counts["rows"] += int(rows) if code == SCORED else 0
        counts["errors"] += int(code >= 500)
        counts["refused"] += int(400 <= code < 500)
        if code == SCORED:
            histograms.setdefault((str(role), key), LatencyHistogram()).add(float(took))
    for (role, key), histogram in histograms.items():
        found[role][key]["latency"] = histogram.to_json()
    return found


def _days(table: pa.Table, frame: TableFrame | None) -> dict[tuple[str, date], DayReading]:
    found: dict[tuple[str, date], DayReading] = {}
    pairs = table.group_by(["role", "day"]).aggregate([("status", "count")])
    for role, day in zip(pairs["role"].to_pylist(), pairs["day"].to_pylist(), strict=True):
        found[role, day] = DayReading()
    for role in {role for role, _ in found}:
        mine = table.filter(pc.equal(table["role"], role))
        scored = mine.filter(pc.equal(mine["status"], SCORED))
        for item in scored.group_by("day").aggregate([("status", "count")]).to_pylist():
            found[role, item["day"]].rows = item["status_count"]
        if frame is not None and scored.num_rows:
            for day, sketch in sketch_windows(scored, frame, "day").items():
                found[role, day].sketch = sketch.to_bytes()
        _count_refusals(mine.filter(pc.is_valid(mine["issues"])), role, found)
    return found


def _count_refusals(rows: pa.Table, role: str, found: dict[tuple[str, date], DayReading]) -> None:
    """Count ``column|code`` of what the gateway refused or noted, by the day."""
    counts: dict[date, Counter[str]] = {}
    for day, text in zip(rows["day"].to_pylist(), rows["issues"].to_pylist(), strict=True):
        for issue in json.loads(text):
            counts.setdefault(day, Counter())[f"{issue.get('column', '')}|{issue.get('code', '')}"] += 1
    for day, counter in counts.items():
        found[role, day].refused = dict(counter.most_common(MOST_ISSUES))
