"""From journal records to Parquet rows."""

import json

import pyarrow.parquet
import pytest

from deployments.serving import journal
from deployments.serving.records import Header, encode
from deployments.serving.segments import write_segments

HOUR = 3_600_000_000
TYPES = {"d1": {"hour": "long", "carrier": "string"}, "d2": {"hour": "long"}}


def record(number, columns=None, scores=None, **more):
    rows = len(next(iter(columns.values()))) if columns else 1
    about = {
        "slot": "stable",
        "status": 200,
        "deployment": "d1",
        "served": number,
        "events": [number],
        **more,
    }
    header = Header(id=f"p{number}", rows=rows, endpoint="e", version=1, ms=1.5, **about)
    inputs = json.dumps(columns).encode() if columns else b""
    return encode(header, inputs, json.dumps(scores).encode() if scores is not None else b"")


@pytest.fixture
def sealed(tmp_path):
    def seal(*records):
        path = tmp_path / "x-1.closed"
        path.write_bytes(journal.MAGIC + b"".join(map(journal.framed, records)))
        segments = write_segments([path], TYPES, tmp_path)
        return [(segment, pyarrow.parquet.read_table(segment.path).to_pylist()) for segment in segments]

    return seal


def test_a_batch_becomes_rows_with_ids_of_their_own(sealed):
    ((segment, rows),) = sealed(
        record(1, {"hour": [5, None], "carrier": ["AA", "UA"]}, [0.25, 1], events=[7, 8])
    )
    assert [row["prediction_id"] for row in rows] == ["p1:0", "p1:1"]
    assert [row["score"] for row in rows] == [0.25, 1.0]
    assert [row["in_hour"] for row in rows] == [5, None]
    assert (segment.rows, segment.requests) == (2, 1)
    assert segment.event_to.microsecond == 8


def test_a_record_written_twice_is_one_row(sealed):
    once = record(1, {"hour": [5]}, [0.5])
    ((segment, rows),) = sealed(once, once)
    assert (len(rows), segment.requests) == (1, 1)


def test_slots_deployments_and_hours_are_files_of_their_own(sealed):
    found = sealed(
        record(1, {"hour": [5]}, [0.5], slot="canary"),
        record(2, {"hour": [5]}, [0.5]),
        record(3, {"hour": [5]}, [0.5], deployment="d2", slot="shadow"),
        record(HOUR + 1, {"hour": [5]}, [0.5]),
    )
    assert [(segment.deployment, segment.slot, segment.hour.hour) for segment, _ in found] == [
        ("d1", "canary", 0),
        ("d1", "stable", 0),
        ("d2", "shadow", 0),
        ("d1", "stable", 1),
    ]


def test_refusals_failures_and_words_are_kept(sealed):
    ((segment, rows),) = sealed(
        record(1, status=400, issues=[{"column": "hour", "code": "wrong_type"}]),
        record(2, {"hour": [5]}, None, status=503),
        record(3, {"hour": [5]}, ["late"]),
    )
    assert [(row["status"], row["score"], row["prediction"], row["in_hour"]) for row in rows] == [
        (400, None, None, None),
        (503, None, None, 5),
        (200, None, "late", 5),
    ]
    assert (segment.refused, segment.failed) == (1, 1)
    assert json.loads(rows[0]["issues"]) == [{"column": "hour", "code": "wrong_type"}]


def test_columns_that_come_and_go_stay_aligned(sealed):
    ((_, rows),) = sealed(
        record(1, {"hour": [1]}, [0.1]),
        record(2, {"carrier": ["AA"]}, [0.2]),
        record(3, {"hour": [3]}, [0.3]),
    )
    assert [(row["in_hour"], row["in_carrier"]) for row in rows] == [(1, None), (None, "AA"), (3, None)]
