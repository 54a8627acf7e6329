"""Pages and REST of deployments: they answer, refuse, and agree with the services."""

import json

import pytest
from django.utils import timezone

from audit.models import Event
from deployments import services
from deployments.models import Deployment, Endpoint, TrafficCount
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db
CANARY = {
    "steps": [
        {"weight": 10, "analyse": {"max_error_rate": 0.01, "p95_ms": 120, "min_requests": 200}},
        {"weight": 100},
    ]
}


@pytest.fixture
def two_versions(make_model, make_version, production, bring_live):
    """Version 1 live, version 2 on its way at 10 %."""
    model = make_model()
    first = bring_live(make_version(model), production)
    second = bring_live(make_version(model), production, CANARY)
    return first, second


@pytest.fixture
def rolled_out(make_model, make_version, production, bring_live):
    """Version 2 live, version 1 warm."""
    model = make_model()
    first = bring_live(make_version(model), production)
    second = bring_live(make_version(model), production)
    first.refresh_from_db()
    return first, second


def pages_of(deployment):
    name = deployment.endpoint.model.name
    return [
        "/deployments/",
        f"/deployments/{deployment.pk}/",
        f"/models/{name}/",
        f"/models/{name}/rollback/",
        f"/models/{name}/rollback/?target={deployment.pk}",
        f"/models/{name}/versions/{deployment.version.number}/deploy/",
        "/targets/local/",
    ]


def test_every_page_answers(two_versions, operator, client_for):
    client = client_for(operator)
    for deployment in two_versions:
        for address in pages_of(deployment):
            answer = client.get(address)
            assert answer.status_code == 200, address
            assert b"style=" not in answer.content


def test_a_stranger_finds_nothing(two_versions, stranger, client_for, token_client):
    deployment = two_versions[1]
    client, name = client_for(stranger), deployment.endpoint.model.name
    assert name.encode() not in client.get("/deployments/").content
    assert name.encode() not in client.get("/targets/local/").content
    for address in pages_of(deployment)[1:-1]:
        assert client.get(address).status_code == 404, address
    for what in ("pause", "continue", "abort", "retire"):
        assert client.post(f"/deployments/{deployment.pk}/{what}/").status_code == 404
        assert token_client(stranger).post(f"/api/v1/deployments/{deployment.pk}/{what}").status_code == 404
    rest = token_client(stranger)
    assert rest.get("/api/v1/deployments").json()["items"] == []
    assert rest.get("/api/v1/endpoints").json()["items"] == []
    for address in (
        f"/api/v1/deployments/{deployment.pk}",
        f"/api/v1/endpoints/{deployment.endpoint_id}",
        f"/api/v1/endpoints/{deployment.endpoint_id}/predictions",
    ):
        assert rest.get(address).status_code == 404
    body = {"deployment": str(deployment.pk), "reason": "x"}
    address = f"/api/v1/endpoints/{deployment.endpoint_id}/rollback"
    assert rest.post(address, body, content_type="application/json").status_code == 404


def test_those_who_may_see_but_not_steer_are_refused_and_it_is_recorded(two_versions, reviewer, client_for):
    deployment = two_versions[1]
    client = client_for(reviewer)
    page = client.get(f"/deployments/{deployment.pk}/").content
    assert b"Pause at" not in page
    assert client.post(f"/deployments/{deployment.pk}/pause/").status_code == 403
    deployment.refresh_from_db()
    assert not deployment.is_paused
    assert Event.objects.filter(fields__action="deployments.pause", fields__outcome="denied").exists()


def test_steering_by_page(two_versions, operator, client_for):
    deployment = two_versions[1]
    client = client_for(operator)
    client.post(f"/deployments/{deployment.pk}/pause/")
    deployment.refresh_from_db()
    assert deployment.is_paused
    assert b"Continue" in client.get(f"/deployments/{deployment.pk}/").content
    client.post(f"/deployments/{deployment.pk}/continue/")
    deployment.refresh_from_db()
    assert not deployment.is_paused
    client.post(f"/deployments/{deployment.pk}/abort/", {"abort-reason": ""})
    deployment.refresh_from_db()
    assert deployment.status == "rolling_out"
    client.post(f"/deployments/{deployment.pk}/abort/", {"abort-reason": "Wrong data."})
    deployment.refresh_from_db()
    assert deployment.status == "aborted"


def test_the_live_part_is_quiet_when_nothing_changed_and_stops_at_the_end(
    two_versions, operator, client_for, system
):
    deployment = two_versions[1]
    client = client_for(operator)
    page = client.get(f"/deployments/{deployment.pk}/").content.decode()
    seen = page.split("?seen=")[1].split('"')[0]
    htmx = {"HX-Request": "true"}
    address = f"/deployments/{deployment.pk}/?seen="
    assert client.get(address + seen, headers=htmx).status_code == 204
    TrafficCount.objects.create(
        deployment=deployment, step=1, minute=timezone.now(), gateway="g", requests=150, latency={"30": 150}
    )
    changed = client.get(address + seen, headers=htmx)
    assert changed.status_code == 200
    assert b"150" in changed.content
    assert b"<html" not in changed.content
    services.abort(actor=system, deployment=deployment, reason="Enough.")
    assert client.get(address + seen, headers=htmx).status_code == 286


def test_rolling_back_by_page_is_signed(rolled_out, operator, client_for):
    first, second = rolled_out
    client = client_for(operator)
    address = f"/models/{first.endpoint.model.name}/rollback/?target={first.pk}"
    page = client.get(address).content.decode()
    assert "from v2 to v1" in page
    assert client.post(address, {"reason": "Worse.", "password": "not mine"}).status_code == 403
    assert client.post(address, {"reason": "", "password": PASSWORD}).status_code == 422
    first.refresh_from_db()
    assert first.status == "standby"
    assert client.post(address, {"reason": "Worse in April.", "password": PASSWORD}).status_code == 302
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("live", "rolled_back")
    event = Event.objects.filter(fields__action="deployments.rolled_back", fields__outcome="ok").get()
    assert json.loads(event.body)["reason"] == "Worse in April."


def test_rolling_back_by_rest(rolled_out, operator, scientist, token_client):
    first, _ = rolled_out
    address = f"/api/v1/endpoints/{first.endpoint_id}/rollback"
    body = {"version": 1, "reason": "Worse in April."}

    def post(client, body):
        return client.post(address, body, content_type="application/json")

    assert post(token_client(scientist), body).status_code == 403
    rest = token_client(operator)
    for bad in (
        {},
        {"version": 1},
        {"reason": "x"},
        {"version": 99, "reason": "x"},
        {"version": "x", "reason": "y"},
    ):
        assert post(rest, bad).status_code == 400, bad
    answer = post(rest, body)
    assert (answer.status_code, answer.json()["status"]) == (200, "live")
    assert post(rest, body).status_code == 409
    assert post(rest, {"version": 2, "reason": "Forward again."}).status_code == 409


def test_a_version_that_was_never_live_is_no_target(
    rolled_out, make_version, operator, token_client, deploy, production
):
    first, _ = rolled_out
    never = deploy(make_version(first.version.model), production)
    rest = token_client(operator)
    body = {"deployment": str(never.pk), "reason": "Let us try."}
    answer = rest.post(
        f"/api/v1/endpoints/{first.endpoint_id}/rollback", body, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "never_live_here")


def test_staging_by_rest_and_production_not(make_model, make_version, operator, scientist, token_client):
    version = make_version(make_model())
    rest = token_client(operator)

    def post(body, client=rest, **headers):
        return client.post("/api/v1/deployments", body, content_type="application/json", headers=headers)

    good = {"model": "delays", "version": version.number, "environment": "staging", "reason": "Trying it."}
    assert post({**good, "environment": "production"}).json()["code"] == "clearance_required"
    assert post(good, token_client(scientist)).status_code == 403
    for bad, status in (
        ({**good, "environment": "moon"}, 404),
        ({**good, "version": 99}, 404),
        ({**good, "version": "x"}, 400),
        ({**good, "model": "none"}, 404),
        ({**good, "rollout": {"steps": []}}, 400),
        ({**good, "rollout": "x"}, 400),
        ({}, 400),
    ):
        assert post(bad).status_code == status, bad
    assert not Deployment.objects.exists()
    answer = post(good, **{"Idempotency-Key": "once"})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert post(good, **{"Idempotency-Key": "once"}).json()["id"] == answer.json()["id"]
    listed = rest.get("/api/v1/deployments?environment=staging&model=delays").json()["items"]
    assert [each["id"] for each in listed] == [answer.json()["id"]]
    assert rest.get("/api/v1/deployments?status=what").status_code == 400


def test_an_endpoint_is_changed_only_by_those_who_saw_it(rolled_out, operator, token_client):
    rest = token_client(operator)
    address = f"/api/v1/endpoints/{rolled_out[0].endpoint_id}"
    etag = rest.get(address)["ETag"]

    def patch(body, **headers):
        return rest.patch(address, body, content_type="application/json", headers=headers)

    assert patch({"event_time_column": "at"}).status_code == 428
    assert patch({"event_time_column": "at"}, **{"If-Match": '"old"'}).status_code == 412
    assert patch({"event_time_column": "a\u202et"}, **{"If-Match": etag}).status_code == 400
    assert patch({"event_time_column": "at"}, **{"If-Match": etag}).status_code == 200
    assert Endpoint.objects.get().event_time_column == "at"
    assert patch({"event_time_column": "x"}, **{"If-Match": etag}).status_code == 412


def test_environments_and_targets_by_rest(operator, token_client):
    rest = token_client(operator)
    names = [each["name"] for each in rest.get("/api/v1/environments").json()["items"]]
    assert names == ["staging", "production"]
    assert rest.get("/api/v1/environments/production").json()["alias"] == "champion"
    assert rest.get("/api/v1/environments/moon").status_code == 404
    assert rest.get("/api/v1/targets/local").json()["kind"] == "local"
    assert rest.get("/api/v1/targets/moon").status_code == 404


def test_the_list_asks_no_more_for_twelve_than_for_one(
    make_model, make_version, production, bring_live, operator, client_for
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def bring(number):
        bring_live(make_version(make_model(f"model {number}")), production)

    client = client_for(operator)

    def count(address):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    bring(0)
    client.get("/deployments/")
    one, one_target = count("/deployments/"), count("/targets/local/")
    for number in range(1, 12):
        bring(number)
    assert count("/deployments/") <= one
    assert count("/targets/local/") <= one_target
