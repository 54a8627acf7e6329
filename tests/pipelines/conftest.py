import io
from pathlib import Path

import polars
import pytest

from pipelines import services
from pipelines.models import Pipeline

CONTRACT = {
    "schema": "controlplane/contract/v1",
    "rows": {"min": 2, "max": 1000},
    "columns": {
        "id": {"type": "string"},
        "hour": {"type": "integer", "min": 0, "max": 23},
        "temp": {"type": "number", "min": -30, "max": 120, "max_null_share": 0.3},
        "origin": {"type": "string", "allowed": ["EWR", "JFK", "LGA"]},
    },
    "unique": [["id"]],
}


def table(**columns):
    """Four flights; a column given replaces its own."""
    return polars.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "hour": [5, 6, 7, 23],
            "temp": [30.5, None, 41.0, 12.5],
            "origin": ["EWR", "JFK", "LGA", "EWR"],
            "at": [
                "2013-01-01T10:00:00Z",
                "2013-01-01T11:00:00Z",
                "2013-01-02T12:00:00Z",
                "2013-01-03T04:00:00Z",
            ],
            **columns,
        }
    ).with_columns(polars.col("at").str.to_datetime(time_zone="UTC"))


def parquet(frame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file)
    return file.getvalue()


def saved(folder: Path, content: bytes, name="table") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.fixture
def make_dataset(scientist, actor):
    """``make_dataset("flights")``: a data set of the scientist."""

    def make(name="flights", by=None, **more):
        about = {"event_time_column": "at", "key_columns": ["id"], **more}
        return services.create_dataset(actor=actor(by or scientist), name=name, **about)

    return make


@pytest.fixture
def add_version(scientist, actor, run_jobs, tmp_path):
    """``add_version(dataset, bytes)``: registered, and read by a worker."""

    def add(dataset, content=None, by=None, **more):
        path = saved(tmp_path, parquet(table()) if content is None else content)
        version = services.register_version(
            actor=actor(by or scientist), dataset=dataset, content=path, **more
        )
        run_jobs()
        version.refresh_from_db()
        return version

    return add


@pytest.fixture
def ingest():
    return Pipeline.objects.get(name="flights-ingest")


@pytest.fixture
def training():
    return Pipeline.objects.get(name="flights-training")
