"""From the shipped flights to a registered version, through the unchanged MLflow client."""

import pytest

from accounts.models import ApiToken
from core.jobs.models import Job
from pipelines import services
from pipelines.models import DatasetVersion, Pipeline
from registry.models import ModelVersion
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_flights_become_a_version_that_knows_its_data_code_and_holdout(
    installation, settings, scientist, actor
):
    settings.PUBLIC_URL = installation.url
    mine = actor(scientist)
    ingest, training = (Pipeline.objects.get(name=name) for name in ("flights-ingest", "flights-training"))
    run = services.start_run(actor=mine, pipeline=ingest, parameters={"months": [1]})
    wait_for(lambda: not Job.objects.open().exists())
    run.refresh_from_db()
    assert run.status == "succeeded", run.failure
    january = DatasetVersion.objects.get(label="2013-01")
    assert (january.status, january.rows) == ("ready", 26398)

    run = services.start_run(
        actor=mine, pipeline=training, parameters={"versions": ["2013-01"], "features": "weather"}
    )
    wait_for(lambda: not Job.objects.open().exists())
    run.refresh_from_db()
    assert run.status == "succeeded", f"{run.failure} {run.log}"
    version = ModelVersion.objects.get(model__name="flight-delay")
    assert version.status == "READY", version.status_message
    assert version.run_id == run.mlflow_run_id
    assert version.holdout["kind"] == "random"
    assert version.code_commit == run.code_commit
    assert version.format_warning == ""
    assert version.parameters["features"] == "weather"
    assert version.metrics["holdout_roc_auc"] > 0.7
    uses = {(use.role, use.dataset_version.dataset.name) for use in version.datasets.all()}
    assert uses == {("training", "flights"), ("holdout", "flights-holdout")}
    assert {each["name"]: each["type"] for each in version.signature["inputs"]}["carrier"] == "string"

    token = ApiToken.objects.get(purpose="pipeline")
    assert token.revoked_at is not None
    texts = f"{run.log} {run.parameters} {Job.objects.get(pk=run.job_id).log_tail}"
    assert "cp_" not in texts
