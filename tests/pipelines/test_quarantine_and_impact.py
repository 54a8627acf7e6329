"""What a bad version touched is shown to those who may see it, and quarantine stops what rests on it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals.gates import Evidence, _contract
from audit.models import Event
from core.errors import Conflict, NotAllowed
from core.jobs.models import Job
from deployments.models import Deployment, Endpoint, Environment, Target, TrafficCount
from pipelines import services
from pipelines.impact import impact_of
from pipelines.models import DatasetVersion, Pipeline, PipelineRun, RunDataset
from registry.data_facts import contract_states
from registry.evaluations.services import request_evaluation
from registry.models import VersionDataset
from tests.approvals.conftest import answer, heldout, production, promotion, version  # noqa: F401 - fixtures
from tests.deployments.conftest import model_files  # noqa: F401 - fixture
from tests.registry.conftest import make_model, make_row, make_version, tracking  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
API = "/api/v1/datasets/flights/versions/1"


@pytest.fixture
def month(make_dataset, add_version):
    return add_version(make_dataset(), label="2013-01")


@pytest.fixture
def holdout(month, make_dataset, add_version, scientist, actor, tmp_path):
    """Rows kept back from the month, in a data set of their own."""
    from tests.pipelines.conftest import parquet, table

    cut = make_dataset("flights-holdout")
    return add_version(cut, parquet(table().head(2)), parents=[month], derivation={"kind": "random"})


@pytest.fixture
def served(month, holdout, make_model, make_row, scientist):
    """A model version trained on the month, judged on its hold-out, live in staging with 120 rows predicted."""
    trained = make_row(make_model("delays"))
    VersionDataset.objects.create(version=trained, dataset_version=month, role="training")
    VersionDataset.objects.create(version=trained, dataset_version=holdout, role="holdout")
    trains = Pipeline.objects.create(name="train-delays", recipe="none")
    run = PipelineRun.objects.create(pipeline=trains, started_by=scientist)
    RunDataset.objects.create(run=run, version=month, role="training")
    RunDataset.objects.create(run=run, version=holdout, role="holdout")
    staging = Environment.objects.get(name="staging")
    endpoint = Endpoint.objects.create(
        model=trained.model, environment=staging, target=Target.objects.get(name="local")
    )
    deployment = Deployment.objects.create(
        endpoint=endpoint,
        version=trained,
        digest=trained.digest,
        is_protected=False,
        status="live",
        slot="stable",
    )
    for minute in range(2):
        at = timezone.now().replace(minute=minute, second=0, microsecond=0)
        TrafficCount.objects.create(deployment=deployment, minute=at, gateway="g", requests=3, rows=60)
    return deployment


def totals(actor, version):
    return {part.key: part.total for part in impact_of(actor, version)}


def test_the_blast_radius_goes_from_data_to_predictions(
    served, month, actor, scientist, client_for, token_client
):
    parts = {part.key: part for part in impact_of(actor(scientist), month)}
    assert {key: part.total for key, part in parts.items()} == {
        "datasets": 1,
        "runs": 1,
        "model_versions": 1,
        "deployments": 1,
    }
    assert parts["deployments"].sum == 120
    body = token_client(scientist).get(f"{API}/impact").json()
    assert body["deployments"]["items"][0]["count"] == 120
    for part in ("model_versions", "runs"):
        [item] = body[part]["items"]
        assert item["words"] == "trained on flights v1; held out flights-holdout v1"
    assert body["model_versions"]["items"][0]["name"] == "delays v1"
    page = client_for(scientist).get("/data/flights/?version=1").content.decode()
    assert "What it touched" in page and "120 predictions" in page and "/models/delays/versions/1/" in page


def test_what_one_may_not_see_is_not_counted(
    served, month, actor, scientist, reviewer, make_account, stranger, client_for
):
    team = make_account("team", "data-scientist")
    services.grant(actor=actor(scientist), dataset=month.dataset, right="view", reason="Team.", account=team)
    assert totals(actor(team), month) == {"datasets": 0, "runs": 0, "model_versions": 0, "deployments": 0}
    assert totals(actor(reviewer), month)["deployments"] == 1
    page = client_for(team).get("/data/flights/").content.decode()
    assert "delays" not in page and "flights-holdout" not in page and "120 predictions" not in page
    assert client_for(stranger).get(f"{API}/impact").status_code == 404
    assert client_for(stranger).get("/data/flights/versions/1/quarantine/").status_code == 404


def test_twelve_model_versions_cost_no_more_queries_than_one(served, month, make_row, actor, scientist):
    with CaptureQueriesContext(connection) as few:
        impact_of(actor(scientist), month)
    for _ in range(11):
        another = make_row(served.version.model)
        VersionDataset.objects.create(version=another, dataset_version=month, role="training")
    with CaptureQueriesContext(connection) as more:
        impact_of(actor(scientist), month)
    assert len(more) == len(few)


def test_a_person_quarantines_and_releases_with_a_reason(month, scientist, reviewer, client_for):
    client, address = client_for(scientist), "/data/flights/versions/1/quarantine/"
    assert b"Training and evaluations refuse" in client.get(address).content
    assert client.post(address, {"reason": " "}).status_code == 422
    month.refresh_from_db()
    assert month.status == "ready"
    refused = client_for(reviewer).post(address, {"reason": "No right."})
    assert refused.status_code == 403
    assert client_for(reviewer).get(address).status_code == 403
    assert Event.objects.get(fields__outcome="denied", fields__action="pipelines.quarantine_version")
    assert client.post(address, {"reason": "The feed was cut."}).status_code == 302
    month.refresh_from_db()
    assert (month.status, month.quarantine_reason) == ("quarantined", "The feed was cut.")
    page = client.get("/data/flights/").content.decode()
    assert "This version is quarantined" in page and "Release…" in page
    event = Event.objects.get(fields__action="pipelines.version_quarantined").fields
    assert (event["reason"], event["before"]["status"]) == ("The feed was cut.", "ready")
    assert b"may use" in client.get(address).content
    client.post(address, {"reason": "It was whole."})
    month.refresh_from_db()
    assert (month.status, month.quarantine_reason) == ("ready", "")


def test_quarantine_reaches_what_was_made_from_it(month, holdout, actor, scientist, make_model, make_row):
    services.require_valid(holdout)
    services.quarantine_version(actor=actor(scientist), version=month, reason="The feed was cut.")
    with pytest.raises(Conflict, match=r"made from data that is withheld: flights v1 .*The feed was cut"):
        services.require_valid(holdout)
    candidate = make_row(make_model())
    with pytest.raises(Conflict, match="withheld"):
        request_evaluation(
            actor=actor(scientist), candidate=candidate, champion=None, dataset_version=holdout
        )
    services.release_version(actor=actor(scientist), version=month, reason="It was whole.")
    services.require_usable(holdout)


def test_a_request_that_rests_on_quarantined_data_is_judged_again_and_fails_its_gate(
    promotion, actor, admin, run_jobs
):
    data = promotion.version.datasets.get(role="holdout").dataset_version
    services.quarantine_version(actor=actor(admin), version=data, reason="The feed was cut.")
    told = next(each for each in contract_states(promotion.version) if each["id"] == data.pk)
    assert told["status"] == "quarantined"
    observed = _contract({}, Evidence(contracts=[told]))
    assert observed[2:] == (f"{data} is quarantined", False)
    assert run_jobs() >= 2
    assert not Job.objects.filter(status="failed").exists()
    gate = promotion.gate_results.filter(type="data_contract").order_by("-rev").first()
    assert (gate.outcome, gate.observed) == ("failed", f"{data} is quarantined")


def test_a_quarantined_version_is_not_quarantined_twice(month, actor, scientist, auditor):
    services.quarantine_version(actor=actor(scientist), version=month, reason="One.")
    with pytest.raises(Conflict):
        services.quarantine_version(actor=actor(scientist), version=month, reason="Two.")
    with pytest.raises(NotAllowed):
        services.release_version(actor=actor(auditor), version=month, reason="No.")
    assert DatasetVersion.objects.get(pk=month.pk).quarantine_reason == "One."
