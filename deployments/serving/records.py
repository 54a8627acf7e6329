"""What one journal record says: a request, its rows, its answer."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

import uuid6


@dataclass
class Header:
    """Everything about a request but its rows.

    Times are microseconds since 1970 UTC. ``events`` has one event time per row, or one for all.
    A shadow's record repeats the prediction id of the answer it shadowed.
    """

    id: str
    served: int
    events: list[int]
    rows: int
    endpoint: str
    deployment: str
    version: int
    slot: str
    status: int
    ms: float
    step: int = 0
    issues: list[dict[str, Any]] = field(default_factory=list)


def new_prediction_id() -> str:
    """A UUIDv7: ids sort by the time they were given."""
    return str(uuid.UUID(int=uuid6.uuid7().int))


def row_ids(prediction_id: str, rows: int) -> list[str]:
    """The prediction ids of a request's rows: its own for one row, else ``<id>:<index>``."""
    return [prediction_id] if rows == 1 else [f"{prediction_id}:{index}" for index in range(rows)]


def encode(header: Header, inputs: bytes, scores: bytes) -> bytes:
    """One record; ``inputs`` is ``{"column": [values]}`` and ``scores`` a list, both JSON already."""
    return b"\n".join((json.dumps(asdict(header), separators=(",", ":")).encode(), inputs, scores))


def decode(payload: bytes) -> tuple[Header, dict[str, list[Any]], list[Any]]:
    """Header, columns and scores; both are empty for a request that was refused or failed."""
    header, inputs, scores = payload.split(b"\n", 2)
    return Header(**json.loads(header)), json.loads(inputs or b"{}"), json.loads(scores or b"[]")


def header_of(payload: bytes) -> Header:
    """The header alone."""
    return Header(**json.loads(payload.partition(b"\n")[0]))
