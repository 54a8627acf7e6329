"""Every attempt to change what may not be changed or seen is in the ledger, by name."""

import json

import pytest

from accounts.actors import actor_for
from accounts.services import issue_token
from audit.models import Event
from controlplane.wsgi import registry
from tests.registry.conftest import make_model, make_row, make_version, tracking  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
JSON = "application/json"
MLFLOW = "/api/2.0/mlflow"


@pytest.fixture
def theirs(make_model, make_row):
    model = make_model()
    make_row(model)
    return model


def denied(action="accounts.unseen_write"):
    return [event.fields for event in Event.objects.acting(action).ended("denied").order_by("id")]


ATTEMPTS = [
    ("DELETE", "/api/v1/models/delays", {}, {}),
    ("PATCH", "/api/v1/models/delays", {"description": "x"}, {}),
    ("PUT", "/api/v1/models/delays/aliases/best", {"version": 1}, {"version": "1"}),
    ("PUT", "/api/v1/models/delays/aliases/search", {"version": 1}, {"version": "1"}),
    ("DELETE", "/api/v1/models/delays/aliases/get-latest-versions", {}, {}),
    ("POST", "/api/v1/models/delays/versions/1/verify", {}, {}),
    (
        "POST",
        "/api/v1/grants",
        {"model": "delays", "right": "view", "account": "stranger", "reason": "Please."},
        {"model": "delays", "right": "view", "account": "stranger"},
    ),
    ("POST", f"{MLFLOW}/registered-models/alias", {"name": "delays", "alias": "best", "version": "1"}, None),
    ("DELETE", f"{MLFLOW}/model-versions/delete", {"name": "delays", "version": "1"}, None),
    (
        "POST",
        f"{MLFLOW}/registered-models/set-tag",
        {"name": "delays", "key": "team", "value": "secret"},
        {"name": "delays", "key": "team"},
    ),
]


@pytest.mark.parametrize(("method", "address", "body", "named"), ATTEMPTS)
def test_a_change_asked_of_what_one_may_not_see(method, address, body, named, theirs, stranger, token_client):
    answer = token_client(stranger).generic(
        method, address, json.dumps(body), content_type=JSON, headers={"If-Match": "*"}
    )
    assert answer.status_code == 404
    [event] = denied()
    assert event["actor"]["name"] == "stranger"
    said = event["extra"]
    assert (said["method"], said["path"]) == (method, address)
    assert said.get("named", {}) == (body if named is None else named)
    assert "secret" not in json.dumps(event)


@pytest.mark.parametrize(
    ("method", "address", "body", "named"), [each for each in ATTEMPTS if MLFLOW in each[1]]
)
def test_the_doors_that_skip_middleware_keep_them_too(method, address, body, named, theirs, stranger, rf):
    """As web answers them: tests' own client goes through all middleware."""
    _, secret = issue_token(actor=actor_for(stranger), account=stranger, name="raw", scopes=["all"])
    sent = rf.generic(
        method, address, json.dumps(body), content_type=JSON, headers={"Authorization": f"Bearer {secret}"}
    )
    assert registry.get_response(sent).status_code == 404
    [event] = denied()
    assert event["extra"].get("named", {}) == (body if named is None else named)


def test_a_body_that_cannot_be_read_hides_no_attempt(theirs, stranger, token_client):
    machine = token_client(stranger)
    assert machine.patch("/api/v1/models/delays", '{"description": "\\ud800"}', JSON).status_code in {
        400,
        404,
    }
    assert [event["extra"]["path"] for event in denied()] == ["/api/v1/models/delays"]


def test_what_a_door_refuses_by_itself_is_in_the_ledger_once(stranger, scientist, token_client, theirs):
    answer = token_client(scientist).post("/api/v1/signing-keys", {"name": "mine"}, JSON)
    assert answer.status_code == 403
    [event] = denied("accounts.refused_write")
    assert event["extra"]["path"] == "/api/v1/signing-keys"
    narrow = token_client(scientist, ("view",))
    sent = {"name": "delays", "key": "team", "value": "x"}
    assert narrow.post(f"{MLFLOW}/registered-models/set-tag", sent, JSON).status_code == 403
    before = Event.objects.ended("denied").count()
    assert before == 2, "one event for each refusal"


def test_a_form_posted_by_hand_is_in_the_ledger_too(theirs, stranger, client_for):
    answer = client_for(stranger).post("/models/delays/quota/", {"gib": "1", "reason": "More."})
    assert answer.status_code == 404
    [event] = denied()
    assert (event["actor"]["via"], event["extra"]["path"]) == ("session", "/models/delays/quota/")


def test_of_a_large_body_nothing_is_said(theirs, stranger, token_client):
    machine = token_client(stranger)
    sent = {"model": "delays", "right": "view", "account": "stranger", "reason": "x" * 70_000}
    assert machine.post("/api/v1/grants", sent, JSON).status_code in {400, 404}
    body = {"name": "delays", "key": "k", "value": "x" * 70_000}
    assert machine.post(f"{MLFLOW}/registered-models/set-tag", body, JSON).status_code == 404
    assert "named" not in denied()[-1]["extra"]


def test_reading_and_addresses_that_lead_nowhere_are_no_attempts(theirs, stranger, token_client, client):
    machine = token_client(stranger)
    assert machine.get("/api/v1/models/delays").status_code == 404
    assert machine.post("/api/v1/nothing", {}, JSON).status_code == 404
    sent = {"name": "delays"}
    assert machine.post(f"{MLFLOW}/registered-models/get-latest-versions", sent, JSON).status_code == 404
    assert client.delete("/api/v1/models/delays").status_code == 401
    assert denied() == []


def test_files_of_a_version_are_changed_by_nobody(
    make_model, make_version, scientist, stranger, token_client
):
    version = make_version(make_model())
    address = f"/api/2.0/mlflow-artifacts/artifacts/versions/{version.pk}/MLmodel"
    for method in ("PUT", "DELETE"):
        assert token_client(scientist).generic(method, address, b"x").status_code == 409
    assert token_client(stranger).put(address, b"x", "text/plain").status_code == 409
    events = denied("registry.files_changed")
    assert [each["actor"]["name"] for each in events] == ["scientist", "scientist", "stranger"]
    assert [each.get("object", {}).get("name") for each in events] == ["delays v1", "delays v1", None]
    assert events[0]["extra"] == {"code": "files_never_change", "path": f"{version.pk}/MLmodel"}


def test_a_name_that_would_pass_for_a_protected_alias(theirs, make_row, scientist, token_client):
    sent = {"name": "delays", "alias": "Champion", "version": "1"}
    machine = token_client(scientist)
    assert machine.post(f"{MLFLOW}/registered-models/alias", sent, JSON).status_code == 400
    assert machine.put("/api/v1/models/delays/aliases/champi0n", {"version": 1}, JSON).status_code == 400
    events = denied("registry.set_alias")
    assert [each["extra"]["code"] for each in events] == ["alias_confusable"] * 2
    assert "Champion" in events[0]["reason"]
    assert events[0]["object"]["name"] == "delays"
