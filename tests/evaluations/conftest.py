"""Held-out rows with days and carriers, in the object store."""

import datetime as dt
import io

import numpy
import polars
import pytest

from core.object_store import store
from pipelines.models import Dataset, DatasetVersion
from pipelines.services import create_dataset
from tests.deployments.conftest import model_files  # noqa: F401 - fixture
from tests.registry.conftest import make_model, make_version, tracking  # noqa: F401 - fixtures


@pytest.fixture
def heldout(scientist, actor):
    """``heldout(days=30)``: a ready data set version; late flights are those of late hours."""

    def make(days=30, per_day=60):
        draw = numpy.random.default_rng(7)
        rows = days * per_day
        hour = draw.integers(0, 24, rows)
        table = polars.DataFrame(
            {
                "event_time": [
                    dt.datetime(2013, 1, 1, tzinfo=dt.UTC)
                    + dt.timedelta(days=number // per_day, minutes=number % per_day)
                    for number in range(rows)
                ],
                "hour": hour,
                "carrier": draw.choice(["AA", "UA", "DL"], rows),
                "distance": draw.random(rows) * 2000,
                "temp": draw.random(rows) * 30,
                "is_late": (hour / 24 + draw.random(rows) > 1).astype(int),
            }
        )
        file = io.BytesIO()
        table.write_parquet(file)
        file.seek(0)
        stored = store().put_stream(file)
        dataset = Dataset.objects.filter(name="held-out-flights").first() or create_dataset(
            actor=actor(scientist),
            name="held-out-flights",
            event_time_column="event_time",
            label_column="is_late",
        )
        return DatasetVersion.objects.create(
            dataset=dataset,
            number=DatasetVersion.objects.count() + 1,
            status="ready",
            digest=stored.digest,
            source_digest=stored.digest,
            rows=rows,
        )

    return make
