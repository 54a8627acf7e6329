"""Promotion requests and policies by REST; a token asks and reads, it never decides."""

import pytest

from approvals.models import Decision, PromotionRequest
from audit.models import Event
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

JSON = "application/json"
BASE = "/api/v1/promotion-requests"


def address(promotion, verb=""):
    return f"{BASE}/{promotion.pk}{verb}"


def sign(client, promotion, verb="/approve", etag=None, **more):
    given = {"reason": "The evidence holds.", "password": PASSWORD, **more}
    seen = etag if etag is not None else client.get(address(promotion))["ETag"]
    headers = {"If-Match": seen} if seen else {}
    return client.post(address(promotion, verb), given, content_type=JSON, headers=headers)


def test_a_scientist_asks_by_token_once(version, scientist, token_client):
    machine = token_client(scientist)
    asked = {"model": version.model.name, "version": version.number, "why": "It knows the weather."}
    answer = machine.post(BASE, asked, content_type=JSON)
    assert answer.status_code == 201, answer.content
    body = machine.get(answer["Location"]).json()
    assert (body["state"], body["requested_by"], body["revision"]) == ("Evaluating", "scientist", 1)
    again = machine.post(BASE, asked, content_type=JSON)
    assert again.status_code == 409
    assert again.json()["request"] == body["id"]
    assert len(machine.get(BASE).json()["items"]) == 1


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"why": "short"}, 400, "why"),
        ({"why": "with a null \u0000 byte in it"}, 400, "why"),
        ({"version": "one"}, 400, "version"),
        ({"version": 99999999999999999999}, 400, "version"),
        ({"version": 77}, 404, None),
        ({"environment": "moon"}, 404, "environment"),
        ({"model": "nothing"}, 404, None),
    ],
)
def test_bad_requests_name_the_field_and_open_nothing(
    version, scientist, token_client, change, status, field
):
    asked = {"model": version.model.name, "version": version.number, "why": "It knows the weather."} | change
    answer = token_client(scientist).post(BASE, asked, content_type=JSON)
    assert answer.status_code == status, answer.content
    if field:
        assert field in answer.content.decode()
    assert not PromotionRequest.objects.exists()


def test_fields_of_the_server_are_the_servers(version, scientist, reviewer, token_client):
    asked = {
        "model": version.model.name, "version": version.number, "why": "It knows the weather.",
        "requested_by": "reviewer", "status": "approved", "state": "approved", "approvals": [1, 2],
        "created_at": "2001-01-01T00:00:00Z", "actor": str(reviewer.pk),
    }  # fmt: skip
    machine = token_client(scientist)
    refused = machine.post(BASE, asked, content_type=JSON)
    named = {each["pointer"] for each in refused.json()["errors"]}
    theirs = {"requested_by", "status", "state", "approvals", "created_at", "actor"}
    assert (refused.status_code, named) == (400, {f"/{name}" for name in theirs})
    assert not PromotionRequest.objects.exists()
    answer = machine.post(BASE, {name: asked[name] for name in asked.keys() - theirs}, content_type=JSON)
    opened = PromotionRequest.objects.get()
    assert answer.status_code == 201
    assert (opened.requested_by, opened.status, opened.decisions.count()) == (scientist, "pending", 0)


def test_a_token_never_decides_whatever_its_scope(promotion, reviewer, scientist, token_client, make_account):
    for account, code in ((reviewer, "interactive_required"), (scientist, "self_approval")):
        answer = token_client(account, ["all"]).post(
            address(promotion, "/approve"), {"reason": "Fine.", "password": PASSWORD}, content_type=JSON
        )
        assert (answer.status_code, answer.json()["code"]) == (403, code)
    robot = make_account("robot", "reviewer", kind="service")
    answer = token_client(robot).post(address(promotion, "/approve"), {"reason": "Fine."}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_a_person")
    denied = Event.objects.acting("approvals.approve").ended("denied")
    assert denied.count() == 3
    assert not Decision.objects.exists()


def test_two_people_sign_by_rest_from_their_browsers(promotion, reviewer, validator, client_for):
    for account in (reviewer, validator):
        answer = sign(client_for(account), promotion)
        assert answer.status_code == 200, answer.content
    assert answer.json()["status"] == "queued"
    assert [each["by"] for each in answer.json()["decisions"]] == ["reviewer", "validator"]


def test_the_revision_must_be_said_and_be_the_current_one(promotion, reviewer, scientist, client_for):
    client = client_for(reviewer)
    assert sign(client, promotion, etag="").status_code == 428
    assert sign(client, promotion, etag='"old"').status_code == 412
    seen = client.get(address(promotion))["ETag"]
    author = client_for(scientist)
    change = author.patch(
        address(promotion),
        {"known_limits": "Not for freight."},
        content_type=JSON,
        headers={"If-Match": seen},
    )
    assert change.status_code == 200, change.content
    assert change.json()["revision"] == 2
    assert sign(client, promotion, etag=seen).status_code == 412
    assert not Decision.objects.exists()


def test_wrong_or_missing_passwords_sign_nothing(promotion, reviewer, client_for):
    client = client_for(reviewer)
    assert sign(client, promotion, password="wrong wrong wrong").json()["code"] == "reauthentication_failed"
    assert sign(client, promotion, password="").status_code == 400
    assert not Decision.objects.exists()


def test_what_is_built_later_says_so(promotion, reviewer, client_for):
    answer = sign(client_for(reviewer), promotion, "/request-changes")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_available")


def test_a_terminal_request_is_not_opened_again(promotion, reviewer, scientist, client_for, token_client):
    machine = token_client(scientist)
    assert (
        machine.post(address(promotion, "/withdraw"), {"reason": "no"}, content_type=JSON).status_code == 400
    )
    gone = machine.post(address(promotion, "/withdraw"), {"reason": "Wrong data."}, content_type=JSON)
    assert gone.json()["status"] == "cancelled"
    assert sign(client_for(reviewer), promotion).status_code == 409
    etag = machine.get(address(promotion))["ETag"]
    for body, status in (({"status": "pending", "why": "Open it again."}, 400), ({"why": "Again."}, 409)):
        edit = machine.patch(address(promotion), body, content_type=JSON, headers={"If-Match": etag})
        assert edit.status_code == status
    for verb in ("/start", "/withdraw", "/reject"):
        answer = client_for(scientist).post(
            address(promotion, verb),
            {"reason": "Again, please."},
            content_type=JSON,
            headers={"If-Match": etag},
        )
        assert answer.status_code in {403, 409}
    promotion.refresh_from_db()
    assert promotion.status == "cancelled"


def test_a_stranger_finds_nothing_by_rest(promotion, stranger, token_client, client_for):
    for client in (token_client(stranger), client_for(stranger)):
        assert client.get(BASE).json()["items"] == []
        assert client.get(address(promotion)).status_code == 404
        assert client.get(address(promotion, "/evidence")).status_code == 404
        assert (
            client.post(address(promotion, "/approve"), {"reason": "Fine."}, content_type=JSON).status_code
            == 404
        )
        asked = {"model": promotion.version.model.name, "version": 1, "why": "Let me in please."}
        assert client.post(BASE, asked, content_type=JSON).status_code == 404


def test_the_evidence_has_the_hash_that_was_signed(promotion, auditor, token_client):
    from core.canonical import canonical_json, sha256_hex

    body = token_client(auditor).get(address(promotion, "/evidence")).json()
    assert sha256_hex(canonical_json(body["evidence"])) == body["sha256"] == promotion.evidence_sha256


def test_policies_are_read_by_everybody_and_written_by_nobody(scientist, admin, token_client, client):
    machine = token_client(scientist)
    names = {each["name"] for each in machine.get("/api/v1/policies").json()["items"]}
    assert names == {"production", "staging"}
    one = machine.get("/api/v1/policies/production").json()
    assert one["current"]["document"]["quorum"][0]["role"] == "reviewer"
    assert machine.get("/api/v1/policies/production/revisions").json()["items"][0]["number"] == 1
    assert machine.get("/api/v1/policies/nothing").status_code == 404
    for verb in ("post", "put", "patch", "delete"):
        assert getattr(token_client(admin), verb)("/api/v1/policies/production").status_code == 405
    assert client.get("/api/v1/policies").status_code == 401
