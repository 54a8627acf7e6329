"""From journal files to Parquet: one file per deployment, slot and hour served, each prediction once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from deployments.serving import journal
from deployments.serving.records import Header, decode, row_ids

MOMENT = pyarrow.timestamp("us", tz="UTC")
FIXED = (
    ("prediction_id", pyarrow.string()),
    ("served_at", MOMENT),
    ("event_time", MOMENT),
    ("version", pyarrow.int32()),
    ("deployment_id", pyarrow.string()),
    ("slot", pyarrow.string()),
    ("status", pyarrow.int16()),
    ("latency_ms", pyarrow.float64()),
    ("step", pyarrow.int16()),
    ("issues", pyarrow.string()),
    ("score", pyarrow.float64()),
    ("prediction", pyarrow.string()),
)
TYPES = {
    "boolean": pyarrow.bool_(),
    "integer": pyarrow.int64(),
    "long": pyarrow.int64(),
    "float": pyarrow.float64(),
    "double": pyarrow.float64(),
    "string": pyarrow.string(),
    "datetime": pyarrow.string(),
}
# deployment id -> input column -> MLflow type
InputTypes = Mapping[str, Mapping[str, str]]


@dataclass
class Segment:
    """A Parquet file, and what its row in the database says about it."""

    endpoint: str
    deployment: str
    version: int
    slot: str
    hour: datetime
    path: Path
    rows: int
    requests: int
    failed: int
    refused: int
    served_from: datetime
    served_to: datetime
    event_from: datetime
    event_to: datetime


@dataclass
class _Group:
    """The rows of one file while they are gathered, column by column."""

    header: Header
    fixed: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name, _ in FIXED})
    inputs: dict[str, list[Any]] = field(default_factory=dict)
    requests: int = 0
    failed: int = 0
    refused: int = 0
    seen: set[str] = field(default_factory=set)

    @property
    def rows(self) -> int:
        return len(self.fixed["prediction_id"])

    def add(self, header: Header, columns: dict[str, list[Any]], scores: list[Any]) -> None:
        if header.id in self.seen:
            return
        self.seen.add(header.id)
        before, rows = self.rows, header.rows
        self.requests += 1
        self.failed += header.status >= 500
        self.refused += 400 <= header.status < 500
        numbers = [float(each) if _is_number(each) else None for each in scores] or [None] * rows
        words = [None if each is None or _is_number(each) else str(each) for each in scores] or [None] * rows
        issues = json.dumps(header.issues, separators=(",", ":")) if header.issues else None
        values: dict[str, list[Any]] = {
            "prediction_id": row_ids(header.id, rows),
            "served_at": [header.served] * rows,
            "event_time": header.events if len(header.events) == rows else header.events[:1] * rows,
            "version": [header.version] * rows,
            "deployment_id": [header.deployment] * rows,
            "slot": [header.slot] * rows,
            "status": [header.status] * rows,
            "latency_ms": [header.ms] * rows,
            "step": [header.step] * rows,
            "issues": [issues] * rows,
            "score": numbers,
            "prediction": words,
        }
        for name, each in values.items():
            self.fixed[name] += each
        for name in columns.keys() | self.inputs.keys():
            column = self.inputs.setdefault(name, [None] * before)
            column += columns.get(name, [None] * rows)


def read_records(paths: Iterable[Path]) -> Iterable[tuple[Header, dict[str, list[Any]], list[Any]]]:
    """Every whole record of these journal files, in order."""
    for path in paths:
        for payload in journal.read(path):
            yield decode(payload)


def write_segments(paths: Iterable[Path], types: InputTypes, folder: Path) -> list[Segment]:
    """Write the records of ``paths`` into Parquet files under ``folder``.

    Within one call a prediction id counts once per deployment: a record that was written twice
    becomes one row.
    """
    groups: dict[tuple[str, str, str, int], _Group] = {}
    for header, columns, scores in read_records(paths):
        key = (header.endpoint, header.deployment, header.slot, header.served // 3_600_000_000)
        groups.setdefault(key, _Group(header)).add(header, columns, scores)
    return [_write(group, types, folder / f"{index}.parquet") for index, group in enumerate(groups.values())]


def _write(group: _Group, types: InputTypes, path: Path) -> Segment:
    header, fixed = group.header, group.fixed
    known = types.get(header.deployment, {})
    arrays = {name: pyarrow.array(fixed[name], type=kind) for name, kind in FIXED}
    for name in sorted(group.inputs):
        arrays[f"in_{name}"] = _array(group.inputs[name], TYPES.get(known.get(name, "")))
    parquet.write_table(pyarrow.table(arrays), path, compression="zstd")
    return Segment(
        endpoint=header.endpoint,
        deployment=header.deployment,
        version=header.version,
        slot=header.slot,
        hour=_moment(header.served // 3_600_000_000 * 3_600_000_000),
        path=path,
        rows=group.rows,
        requests=group.requests,
        failed=group.failed,
        refused=group.refused,
        served_from=_moment(min(fixed["served_at"])),
        served_to=_moment(max(fixed["served_at"])),
        event_from=_moment(min(fixed["event_time"])),
        event_to=_moment(max(fixed["event_time"])),
    )


def _array(values: list[Any], kind: pyarrow.DataType | None) -> pyarrow.Array:
    """In the signature's type; without one, as pyarrow finds it, and as JSON text if it cannot."""
    try:
        return pyarrow.array(values, type=kind)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        return pyarrow.array(
            [None if value is None else json.dumps(value) for value in values], type=pyarrow.string()
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, tz=UTC)
