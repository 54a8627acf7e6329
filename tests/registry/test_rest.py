"""The REST doors of the registry."""

import json

import pytest

from audit.models import Event
from registry import services
from registry.models import RegisteredModel

pytestmark = pytest.mark.django_db
JSON = "application/json"


def test_a_machine_registers_a_model_and_a_version(token_client, scientist, tracking, run_jobs):
    client = token_client(scientist)
    created = client.post("/api/v1/models", {"name": "delays", "tags": {"team": "ops"}, "tier": "high"}, JSON)
    assert created.status_code == 201, created.content
    assert created["Location"] == "/api/v1/models/delays"
    assert created.json()["owner"]["name"] == "scientist"
    source = tracking.add_run("r1", metrics={"roc_auc": 0.7})
    answer = client.post("/api/v1/models/delays/versions", {"source": source, "run_id": "r1"}, JSON)
    assert answer.status_code == 202
    assert answer.json()["status"] == "PENDING_REGISTRATION"
    assert answer["Location"] == answer.json()["job"]
    run_jobs()
    version = client.get("/api/v1/models/delays/versions/1").json()
    assert (version["status"], version["metrics"]) == ("READY", {"roc_auc": 0.7})
    manifest = client.get("/api/v1/models/delays/versions/1/manifest").json()
    assert manifest["digest"] == f"sha256:{version['digest']}"
    assert client.get("/api/v1/models/delays").json()["latest_version"] == 1


def test_a_stranger_finds_nothing_at_any_address(
    make_model, make_version, token_client, client_for, stranger
):
    make_version(make_model("delays"))
    paths = [
        "",
        "/versions",
        "/versions/1",
        "/versions/1/files",
        "/versions/1/files/MLmodel",
        "/versions/1/manifest",
    ]
    paths += ["/versions/1/lineage", "/aliases", "/aliases/champion"]
    for client in (token_client(stranger), client_for(stranger)):
        for path in paths:
            answer = client.get(f"/api/v1/models/delays{path}")
            assert answer.status_code == 404, path
            missing = client.get(f"/api/v1/models/nothing{path}")
            assert answer.json()["detail"].replace("delays", "nothing") == missing.json()["detail"]
        assert client.get("/api/v1/models").json() == {"items": [], "next": None, "previous": None}
    client = token_client(stranger)
    assert (
        client.post("/api/v1/models/delays/versions", {"source": "runs:/r1/model"}, JSON).status_code == 404
    )
    assert client.put("/api/v1/models/delays/aliases/x", {"version": 1}, JSON).status_code == 404
    assert client.delete("/api/v1/models/delays", headers={"If-Match": "*"}).status_code == 404
    assert client.post("/api/v1/models/delays/versions/1/verify").status_code == 404
    assert client.get("/api/v1/grants?model=delays").status_code == 404


def test_nobody_reads_without_signing_in(make_model, client):
    make_model("delays")
    for path in ("models", "models/delays", "models/delays/versions", "grants"):
        assert client.get(f"/api/v1/{path}").status_code == 401


def test_a_change_needs_the_revision_that_was_read(make_model, token_client, scientist):
    make_model("delays")
    client = token_client(scientist)
    tag = client.get("/api/v1/models/delays")["ETag"]
    change = {"description": "Late by more than 15 minutes?"}
    assert client.patch("/api/v1/models/delays", change, JSON).status_code == 428
    assert (
        client.patch("/api/v1/models/delays", change, JSON, headers={"If-Match": '"other"'}).status_code
        == 412
    )
    changed = client.patch("/api/v1/models/delays", change, JSON, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["revision"]) == (200, 2)
    assert client.patch("/api/v1/models/delays", change, JSON, headers={"If-Match": tag}).status_code == 412
    assert client.delete("/api/v1/models/delays").status_code == 428


def test_server_values_stand(make_model, token_client, scientist):
    model = make_model("delays")
    client = token_client(scientist)
    sent = {
        "description": "x",
        "created_at": "2001-01-01T00:00:00Z",
        "id": "0" * 32,
        "revision": 99,
        "created_by": "admin",
    }
    tag = client.get("/api/v1/models/delays")["ETag"]
    refused = client.patch("/api/v1/models/delays", sent, JSON, headers={"If-Match": tag})
    named = {each["pointer"] for each in refused.json()["errors"]}
    assert (refused.status_code, named) == (400, {"/created_at", "/id", "/revision", "/created_by"})
    model.refresh_from_db()
    assert (model.description, model.rev) == ("", 1)


def test_a_retried_post_makes_one_model(token_client, scientist):
    client = token_client(scientist)
    first = client.post("/api/v1/models", {"name": "delays"}, JSON, headers={"Idempotency-Key": "k1"})
    again = client.post("/api/v1/models", {"name": "delays"}, JSON, headers={"Idempotency-Key": "k1"})
    other = client.post("/api/v1/models", {"name": "other"}, JSON, headers={"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json() == again.json()
    assert RegisteredModel.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        '{"name": "nul\\u0000"}',
        '{"name": "half\\ud800"}',
        '{"name": NaN}',
        '{"name": ["delays"]}',
        '{"name": "delays", "tier": "extreme"}',
        '{"name": "delays", "tags": {"k": "\\u0000"}}',
        '{"name": "delays", "tags": {"": "v"}}',
        '{"name": "delays", "tags": ["k"]}',
        '{"name": "delays", "owner": "nobody"}',
        '{"name": "delays", "description": "\\u202e"}',
        "{}",
        "[]",
        "not json",
        '{"name": "%s"}' % ("x" * 10_000),
        "[" * 5_000,
        '{"name": "a", "name": "b"}',
    ],
)
def test_bad_bodies_are_refused_with_the_field_and_change_nothing(token_client, scientist, body):
    answer = token_client(scientist).post("/api/v1/models", body, JSON)
    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"].startswith("application/problem+json")
    assert answer.json()["detail"]
    assert not RegisteredModel.objects.exists()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("models/delays/versions/99999999999999999999", 404),
        ("models/delays/versions/0", 404),
        ("models/delays/versions/-1", 404),
        ("models/a%00b", 404),
        ("models/%ED%A0%80", 404),
        ("models?limit=1000000000", 400),
        ("models?limit=-1", 400),
        ("models?cursor=broken", 400),
        ("models?sort=password", 400),
        ("models?tier=extreme", 400),
        ("models?q=%00", 400),
        ("models?q=%25_%27%22", 200),
        ("models/delays/versions?status=odd", 400),
        ("models/delays/versions/1/files/..%2f..%2fetc%2fpasswd", 404),
        ("models/delays/versions/1/files/MLmodel%00", 404),
        ("models/delays/aliases/%00", 404),
        ("grants", 400),
    ],
)
def test_odd_addresses_never_break(make_model, make_version, token_client, scientist, path, status):
    make_version(make_model("delays"))
    answer = token_client(scientist).get(f"/api/v1/{path}")
    assert answer.status_code == status, answer.content


def test_a_token_of_the_wrong_scope_is_told_so(make_model, token_client, scientist):
    make_model("delays")
    narrow = token_client(scientist, ["predict"])
    answer = narrow.get("/api/v1/models")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    viewing = token_client(scientist, ["view"])
    assert viewing.get("/api/v1/models").status_code == 200
    assert viewing.post("/api/v1/models", {"name": "other"}, JSON).status_code == 403


def test_free_aliases_move_and_protected_ones_do_not(make_model, make_version, token_client, scientist):
    model = make_model("delays")
    make_version(model), make_version(model)
    client = token_client(scientist)
    made = client.put("/api/v1/models/delays/aliases/challenger", {"version": 1}, JSON)
    assert (made.status_code, made.json()["version"]) == (201, 1)
    assert client.put("/api/v1/models/delays/aliases/challenger", {"version": 2}, JSON).status_code == 428
    moved = client.put(
        "/api/v1/models/delays/aliases/challenger", {"version": 2}, JSON, headers={"If-Match": made["ETag"]}
    )
    assert (moved.status_code, moved.json()["version"]) == (200, 2)
    stale = client.delete("/api/v1/models/delays/aliases/challenger", headers={"If-Match": made["ETag"]})
    assert stale.status_code == 412
    for body in ({"version": 9}, {"version": 99999999999999999999}, {"version": -1}, {"version": "x"}, {}):
        assert client.put("/api/v1/models/delays/aliases/next", body, JSON).status_code in (400, 404)
    assert client.put("/api/v1/models/delays/aliases/latest", {"version": 1}, JSON).status_code == 400
    assert client.put("/api/v1/models/delays/aliases/v1", {"version": 1}, JSON).status_code == 400
    refused = client.put("/api/v1/models/delays/aliases/champion", {"version": 1}, JSON)
    assert refused.status_code in (403, 409)
    denied = Event.objects.acting("registry.alias_set").ended("denied").get()
    assert denied.fields["extra"]["alias"] == "champion"
    assert not model.aliases.filter(name="champion").exists()


def test_a_file_is_saved_and_never_shown(make_model, make_version, client_for, scientist):
    make_version(
        make_model("delays"),
        files={"MLmodel": "flavors: {x: {}}\n", "evil.html": "<script>alert(1)</script>"},
    )
    answer = client_for(scientist).get("/api/v1/models/delays/versions/1/files/evil.html")
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    from tests.registry.test_registering_models import events

    [event] = events("registry.file_downloaded")
    assert event["after"] == {"path": "evil.html"}


def test_pages_of_a_list_follow_each_other(make_model, token_client, scientist):
    for number in range(7):
        make_model(f"model-{number}")
    client, seen = token_client(scientist), []
    address = "/api/v1/models?limit=3&sort=name"
    while address:
        page = client.get(address).json()
        seen += [item["name"] for item in page["items"]]
        address = page["next"]
    assert seen == [f"model-{number}" for number in range(7)]


def test_search_and_filters(make_model, token_client, scientist):
    make_model("delays", tier="high")
    make_model("cancellations")
    client = token_client(scientist)
    assert [each["name"] for each in client.get("/api/v1/models?q=DELAY").json()["items"]] == ["delays"]
    assert [each["name"] for each in client.get("/api/v1/models?tier=high").json()["items"]] == ["delays"]
    assert client.get("/api/v1/models?q=%25").json()["items"] == []


def test_a_list_asks_the_same_number_of_questions_for_1_and_12(
    make_model, make_row, token_client, scientist, actor
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = token_client(scientist)

    def questions(path):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(path).status_code == 200
        return len(seen)

    def fill(name):
        model = make_model(name)
        version = make_row(model)
        services.set_alias(actor=actor(scientist), model=model, alias="challenger", version=version)
        services.set_tag(actor=actor(scientist), target=model, key="team", value="ops")
        return model

    first = fill("model-0")
    client.get("/api/v1/models")
    models, versions = questions("/api/v1/models"), questions("/api/v1/models/model-0/versions")
    for number in range(1, 12):
        fill(f"model-{number}")
        make_row(first)
    assert questions("/api/v1/models") == models
    assert questions("/api/v1/models/model-0/versions") == versions
    assert len(json.loads(client.get("/api/v1/models").content)["items"]) == 12
