"""An endpoint with a request log: real segments, sealed from journal files as the gateway writes them."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db.models.functions import Now

from core.object_store import store
from deployments import services as deployment_services
from deployments.models import Clearance, Deployment, Endpoint, Target
from deployments.sealing import seal_closed
from deployments.serving.journal import CLOSED, MAGIC, framed
from deployments.serving.records import Header, encode, new_prediction_id
from monitoring.models import FeatureWindow, QualityWindow, Watch
from pipelines.models import Dataset, DatasetVersion
from registry.models import ModelVersion, VersionDataset
from tests.deployments.conftest import deploy, production, staging, system, work  # noqa: F401 - fixtures
from tests.registry.conftest import make_model, make_row, make_version, tracking  # noqa: F401 - fixtures
from tests.registry.tracking import FILES

SIGNATURE = (
    '[{"type": "long", "name": "hour", "required": true}, {"type": "string", "name": "carrier", "required": true},'
    ' {"type": "double", "name": "temp", "required": false}]'
)
MLMODEL = f"""\
flavors:
  python_function: {{loader_module: mlflow.sklearn, model_path: model.pkl}}
  sklearn: {{pickled_model: model.pkl, serialization_format: pickle}}
mlflow_version: 3.17.2
run_id: %(run_id)s
signature:
  inputs: '{SIGNATURE}'
  outputs: '[{{"type": "double", "required": true}}]'
"""
FIRST = date(2013, 4, 1)


def rows_of(
    size: int, seed: int = 0, *, temp: float = 10.0, missing: float = 0.0, carriers="AA UA DL"
) -> pa.Table:
    """Made-up flights: an hour, a carrier, a temperature."""
    random = np.random.default_rng(seed)
    temps = random.normal(temp, 5, size)
    return pa.table(
        {
            "hour": random.integers(5, 23, size),
            "carrier": random.choice(carriers.split(), size),
            "temp": pa.array(temps, mask=random.random(size) < missing),
        }
    )


@pytest.fixture
def training_data(scientist):
    """A ready data set version whose Parquet file is in the store."""

    def make(table=None, name="flights", label="2013-01") -> DatasetVersion:
        table = rows_of(3000, seed=1) if table is None else table
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        kept = store().put_stream(pa.BufferReader(sink.getvalue()))
        dataset, _ = Dataset.objects.get_or_create(name=name, defaults={"owner": scientist.person})
        return DatasetVersion.objects.create(
            dataset=dataset, number=dataset.versions.count() + 1, label=label, status="ready", digest=kept.digest,
            source_digest=kept.digest, rows=table.num_rows, size=kept.size,
        )  # fmt: skip

    return make


@pytest.fixture
def trained_version(make_version, training_data):
    """``trained_version(model)``: a ready version that names its training data."""
    shared = {}

    def make(model, data=None):
        version = make_version(model, files={**FILES, "MLmodel": MLMODEL})
        assert version.status == "READY", version.status_message
        data = data or shared.setdefault("data", None) or training_data()
        shared["data"] = data
        VersionDataset.objects.create(version=version, dataset_version=data, role="training")
        return version

    return make


@pytest.fixture
def bring_live(deploy, system, work):
    """Everything an agent would report, up to live."""

    def bring(version, environment, rollout=None) -> Deployment:
        deployment = deploy(version, environment, rollout)
        work()
        deployment.refresh_from_db()
        deployment_services.note_scorer_started(
            actor=system, deployment=deployment, agent="a", pid=1, socket="/s", sandbox="none"
        )
        deployment_services.note_scorer_ready(
            actor=system, deployment=deployment, fence=deployment.fence, about={}
        )
        deployment_services.mark_healthy(actor=system, deployment=deployment, fence=deployment.fence)
        deployment.refresh_from_db()
        assert deployment.status == "live", deployment.failure
        return deployment

    return bring


@dataclass
class Watched:
    """An endpoint with windows as rows alone, for tests of what is said about them."""

    endpoint: Endpoint
    watch: Watch
    version: ModelVersion

    def feature_week(self, day: date, feature="temp", level="alert", psi=0.5, **more) -> FeatureWindow:
        values = {"granularity": "week", "role": "served", "rows": 1000, "noise": 0.01, **more}
        return FeatureWindow.objects.create(
            watch=self.watch, version=self.version, starts_on=day, feature=feature, level=level, psi=psi,
            **values,
        )  # fmt: skip

    def quality_week(self, day: date, estimate: float, **more) -> QualityWindow:
        metrics = {"roc_auc": {"estimate": estimate, "low": estimate - 0.02, "high": estimate + 0.02}}
        values = {
            "granularity": "week", "role": "served", "ends_on": day + timedelta(days=6), "rows": 1000,
            "predictions": 1000, "metrics": metrics, **more,
        }  # fmt: skip
        return QualityWindow.objects.create(watch=self.watch, version=self.version, starts_on=day, **values)


@pytest.fixture
def watched(make_model, make_row, production):
    """Version 1 of "delays" live in production, watched, nothing logged yet."""
    model = make_model("delays")
    version = make_row(model, metrics={"holdout_roc_auc": 0.7596})
    endpoint = Endpoint.objects.create(
        model=model, environment=production, target=Target.objects.get(name="local")
    )
    clearance = Clearance.objects.create(
        model=model, version=version, environment=production, digest=version.digest, kind="approval",
        evidence_sha256="0" * 64,
    )  # fmt: skip
    endpoint.live = Deployment.objects.create(
        endpoint=endpoint, version=version, digest=version.digest, clearance=clearance, status="live",
        slot="stable", live_at=Now(),
    )  # fmt: skip
    endpoint.save(update_fields=["live"])
    return Watched(endpoint, Watch.objects.create(endpoint=endpoint), version)


@dataclass
class RequestLog:
    """Writes journal files as a gateway does and has them sealed."""

    folder: object
    actor: object
    records: list = field(default_factory=list)

    def add(
        self,
        deployment,
        rows: pa.Table,
        scores,
        day: date,
        *,
        ids=None,
        status=200,
        ms=5.0,
        slot=None,
        issues=(),
    ):
        """One request per row; answers the prediction ids."""
        start = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=6)
        ids = ids or [new_prediction_id() for _ in range(rows.num_rows)]
        served = round(datetime.now(UTC).timestamp() * 1_000_000)
        plain = rows.to_pylist()
        for place, (prediction_id, row, score) in enumerate(zip(ids, plain, scores, strict=True)):
            event = start + timedelta(seconds=place * 50000 // max(1, len(plain)))
            header = Header(
                id=prediction_id, served=served, events=[round(event.timestamp() * 1_000_000)], rows=1,
                endpoint=str(deployment.endpoint_id), deployment=str(deployment.pk), version=deployment.version.number,
                slot=slot or deployment.slot or "stable", status=status, ms=ms, issues=list(issues),
            )  # fmt: skip
            columns = {name: [value] for name, value in row.items()}
            body = (
                (json.dumps(columns).encode(), json.dumps([score]).encode()) if status == 200 else (b"", b"")
            )
            self.records.append(encode(header, *body))
        return ids

    def seal(self) -> int:
        path = self.folder / f"gateway-{uuid.uuid4().hex}{CLOSED}"
        path.write_bytes(MAGIC + b"".join(framed(each) for each in self.records))
        self.records.clear()
        return seal_closed(self.actor, self.folder)


@pytest.fixture
def request_log(tmp_path, system):
    folder = tmp_path / "journal"
    folder.mkdir()
    return RequestLog(folder, system)


def scored(rows: pa.Table, seed: int, skill: float):
    """Labels, and scores that know about them as much as ``skill`` says (0 nothing, 1 all)."""
    random = np.random.default_rng(seed)
    label = (random.random(rows.num_rows) < 0.25).astype(int)
    noise = random.random(rows.num_rows)
    score = np.clip(0.1 + 0.5 * skill * label + 0.4 * noise, 0, 1).round(4)
    return label.tolist(), score.tolist()
