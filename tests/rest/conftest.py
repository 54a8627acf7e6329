"""An installation in which every kind of thing is there, and the document that describes its REST."""

import json
import logging

import pytest
import schemathesis
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.services import issue_token
from approvals import services as approvals
from controlplane.wsgi import application
from core.actors import Actor
from registry import services as registry
from registry.models import VersionDataset
from tests.approvals.conftest import answer  # noqa: F401 - fixture
from tests.audit.conftest import connect, ledger_key, sealer  # noqa: F401 - fixtures
from tests.deployments.conftest import model_files  # noqa: F401 - fixture
from tests.evaluations.conftest import heldout  # noqa: F401 - fixture
from tests.monitoring.conftest import (  # noqa: F401 - fixtures
    bring_live,
    deploy,
    make_model,
    make_version,
    production,
    request_log,
    staging,
    system,
    tracking,
    trained_version,
    training_data,
    work,
)
from tests.monitoring.test_from_log_to_incident import story  # noqa: F401 - fixture
from tests.pipelines.conftest import CONTRACT, parquet, table

JSON = "application/json"
ROLES = ("data-scientist", "reviewer", "operator", "auditor", "admin")


@pytest.fixture
def everyone(make_account):
    """One account with every right, so that calls reach the code behind the rights."""
    from accounts.services import give_role

    account = make_account("everyone", ROLES[0])
    for role in ROLES[1:]:
        give_role(actor=Actor.command_line(), account=account, role=role)
    return account


@pytest.fixture
def bearer(everyone, actor):
    _, secret = issue_token(actor=actor(everyone), account=everyone, name="check", scopes=["all"])
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture
def post(client, bearer):
    def send(address, body=None, status=(200, 201, 202), **more):
        sent = client.post(f"/api/v1/{address}", json.dumps(body or {}), JSON, headers=bearer, **more)
        assert sent.status_code in status, (address, sent.content)
        return sent.json()

    return send


@pytest.fixture
def world(story, everyone, operator, actor, post, client, bearer, run_jobs, sealer, settings, tmp_path):
    """The monitoring story, and by REST whatever it leaves out."""
    settings.DATA_DIR = tmp_path / "data"
    rule = {
        "model": "delays", "environment": "production", "name": "Below shadow", "metric": "roc_auc",
        "against": "shadow", "direction": "below", "window": "week",
    }  # fmt: skip
    post("alert-rules", rule)
    post("endpoints/production/delays/labels", story.labels)
    post("datasets", {"name": "flights-2013", "event_time_column": "at", "key_columns": ["id"]})
    file = SimpleUploadedFile("table.parquet", parquet(table()))
    sent = client.post("/api/v1/datasets/flights-2013/versions", {"file": file}, headers=bearer)
    assert sent.status_code == 202, sent.content
    run_jobs(2000)
    contract = json.dumps({"document": CONTRACT})
    assert (
        client.put("/api/v1/datasets/flights-2013/contract", contract, JSON, headers=bearer).status_code
        == 201
    )
    post("datasets/flights-2013/checks", {"version": 1})
    post("grants", {"model": "delays", "right": "view", "account": "operator", "reason": "On call."})
    post("people", {"account": "newest", "kind": "service"})
    post("groups", {"name": "on-call"})
    post("groups/on-call/members", {"account": "newest"})
    post("grants", {"model": "delays", "right": "view", "group": "on-call", "reason": "On call."})
    issue_token(actor=actor(everyone), account=everyone, name="other", scopes=["view"])
    settings.DATASETS_SQL_SOURCES = {"warehouse": "host=127.0.0.1 port=1"}
    post("data-sources", {"name": "warehouse", "kind": "sql"})
    post("data-sources/warehouse/grants", {"account": "everyone", "reason": "Flights."})
    post("grants", {"model": "delays", "right": "register", "account": "everyone", "reason": "Sends."})
    files = [{"path": "MLmodel", "size": 3, "sha256": "a" * 64}]
    post("models/delays/uploads", {"files": files})
    post("audit/exports", {"format": "jsonl"})
    [incident] = client.get("/api/v1/incidents", headers=bearer).json()["items"]
    post(f"incidents/{incident['id']}/post-mortem", {"summary": "s", "impact": "i", "cause": "c"})
    run = post("pipelines/flights-ingest/runs", {"parameters": {"months": [1]}})
    post(f"pipelines/flights-ingest/runs/{run['id']}/cancel")
    price = {"resource": "cpu", "price_usd": "0.05", "valid_from": "2026-01-01", "source": "Our rate."}
    post("price-rules", price)
    sealer.seal()
    run_jobs(2000)
    sealer.seal()
    run_jobs()
    return story


@pytest.fixture
def promotion(world, post, scientist, make_version, heldout, production, actor, answer):
    """A third version whose promotion waits for decisions."""
    from tests.approvals.conftest import ContractCheck, DataContract

    made, rows = make_version(world.model), heldout(days=8, per_day=5)
    contract = DataContract.objects.create(dataset=rows.dataset, revision=1, document={}, digest="0" * 64)
    ContractCheck.objects.create(version=rows, contract=contract, status="passed")
    VersionDataset.objects.create(version=made, dataset_version=rows, role="holdout")
    registry.set_alias(actor=actor(scientist), model=world.model, alias="challenger", version=made)
    registry.set_tag(actor=actor(scientist), target=made, key="team", value="ops")
    post(f"models/delays/versions/{made.number}/hold", {"reason": "An audit looks at it."})
    asked = approvals.request_promotion(
        actor=actor(scientist), version=made, environment=production, why="It knows the weather."
    )
    return answer(asked)


@pytest.fixture
def without_log():
    """Refusals by the thousand are what is asked for here."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def document(bearer):
    return schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", application, headers=bearer)


@pytest.fixture
def parameters_of(client, bearer):
    """``parameters_of("/api/v1/models/{name}/versions/{number}")``: what is really there, or None."""
    return Finder(client, bearer).parameters_of


class Finder:
    """Fills the holes of an address with the first item of the list before each hole."""

    FIELDS = {"number": "version", "key": "id", "batch": "id", "segment": "id", "alias": "name"}
    LISTS = {"/api/v1/monitoring/models": "/api/v1/models"}
    FIRST = {
        ("/api/v1/pipelines", "name"): "flights-ingest",
        ("/api/v1/endpoints", "environment"): "production",
        ("/api/v1/endpoints/production", "name"): "delays",
    }

    def __init__(self, client, bearer):
        self.client, self.bearer, self.known = client, bearer, {}

    def parameters_of(self, template):
        found, address = {}, ""
        for part in template.strip("/").split("/"):
            if not part.startswith("{"):
                address += f"/{part}"
                continue
            name = part.strip("{}")
            value = self.first(address, name)
            if value is None:
                return None
            found[name] = value
            address += f"/{value}"
        return found

    def first(self, address, name):
        field = self.FIELDS.get(name, name)
        if (address, name) in self.FIRST:
            return self.FIRST[address, name]
        items = self.items(self.LISTS.get(address, address))
        return str(items[0][field]) if items and field in items[0] else None

    def items(self, address):
        if address not in self.known:
            answer = self.client.get(address, headers=self.bearer)
            self.known[address] = answer.json().get("items", []) if answer.status_code == 200 else []
        return self.known[address]
