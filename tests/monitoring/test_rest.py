"""The REST doors of monitoring: labels, windows, rules, alerts, incidents, prices."""

import json

import pytest

from monitoring.incidents.models import Incident
from monitoring.models import Label, LabelBatch
from tests.monitoring.test_from_log_to_incident import story  # noqa: F401 - fixture

pytestmark = pytest.mark.django_db(transaction=True)
LABELS = "/api/v1/endpoints/production/delays/labels"
RULE = {
    "model": "delays", "environment": "production", "name": "Below shadow", "metric": "roc_auc",
    "against": "shadow", "direction": "below", "window": "week",
}  # fmt: skip


def post(client, address, body, **headers):
    return client.post(address, json.dumps(body), content_type="application/json", headers=headers)


BAD_LABELS = [
    ({}, "body"),
    ([], "body"),
    ([1], "[0]"),
    ([{"label": 1}], "[0].prediction_id"),
    ([{"prediction_id": "a\u0000", "label": 1}], "[0].prediction_id"),
    ([{"prediction_id": "a" * 101, "label": 1}], "[0].prediction_id"),
    ([{"prediction_id": "a", "label": "late"}], "[0].label"),
    ([{"prediction_id": "a"}], "[0].label"),
    ([{"prediction_id": "a", "label": 1, "observed_at": "yesterday"}], "[0].observed_at"),
    ([{"prediction_id": "a", "label": 1, "observed_at": "2013-04-01T00:00:00"}], "[0].observed_at"),
    ([{"prediction_id": "a", "label": 1, "observed_at": "9999-01-01T00:00:00Z"}], "[0].observed_at"),
    ([{"prediction_id": "a", "label": 1, "when": 1}], "[0]"),
    ([{"prediction_id": "a", "label": 1}, {"prediction_id": "a", "label": 0}], "[1].label"),
]
BAD_RULES = [
    ({"metric": "f2"}, "metric"), ({"direction": ""}, "direction"), ({"limit": "x"}, "limit"),
    ({"fire_after": 0}, "fire_after"), ({"name": ""}, "name"), ({"metric": "psi"}, "metric"),
    ({"feature": "temp"}, "feature"), ({"surprise": 1}, "surprise"), ({"window": "year"}, "window"),
    ({"is_enabled": "yes"}, "is_enabled"), ({"environment": 5}, "environment"),
]  # fmt: skip


def test_the_story_by_rest(story, operator, scientist, stranger, admin, token_client, run_jobs):
    machine, nobody, chief = (token_client(each) for each in (operator, stranger, admin))

    for body, field in BAD_LABELS:
        refused = post(machine, LABELS, body)
        assert refused.status_code == 400, body
        pointer = "/" + field.replace("[", "").replace("]", "").replace(".", "/")
        assert refused.json()["errors"][0]["pointer"].replace("//", "/") == pointer, body
    assert (
        machine.post(
            LABELS, '[{"prediction_id": "a", "label": NaN}]', content_type="application/json"
        ).status_code
        == 400
    )
    assert not Label.objects.exists()
    assert post(nobody, LABELS, story.labels[:1]).status_code == 404
    assert post(token_client(scientist, ["view"]), LABELS, story.labels[:1]).status_code == 403

    unknown = {"prediction_id": "018f0000-0000-7000-8000-000000000000", "label": 1}
    sent = post(machine, LABELS, [*story.labels, unknown], **{"Idempotency-Key": "one"})
    assert sent.status_code == 202, sent.content
    assert sent.json()["received"] == len(story.labels) + 1
    assert sent["Location"] == f"/api/v1/jobs/{sent.json()['job']}"
    again = post(machine, LABELS, [*story.labels, unknown], **{"Idempotency-Key": "one"})
    assert again.json()["id"] == sent.json()["id"]
    run_jobs()
    batch = machine.get(f"{LABELS}/{sent.json()['id']}").json()
    assert (batch["unknown"], batch["unknown_examples"]) == (1, [unknown["prediction_id"]])
    repeated = post(machine, f"/api/v1/endpoints/{story.endpoint.pk}/labels", story.labels[:5])
    assert repeated.json()["repeated"] == 5
    corrected = [{**story.labels[0], "label": 1 - story.labels[0]["label"]}]
    assert post(machine, LABELS, corrected).json()["corrected"] == 1
    assert LabelBatch.objects.count() == 3
    assert len(machine.get(f"{LABELS}?limit=2").json()["items"]) == 2

    for change, field in BAD_RULES:
        refused = post(machine, "/api/v1/alert-rules", {**RULE, **change})
        assert refused.status_code == 400, change
        assert refused.json()["errors"][0]["pointer"] == f"/{field}", change
    assert post(nobody, "/api/v1/alert-rules", RULE).status_code == 404
    rule = post(machine, "/api/v1/alert-rules", RULE)
    assert rule.status_code == 201, rule.content
    assert rule.json()["sentence"] == "ROC AUC is below the shadow's on the same rows, in 2 weeks in a row"
    assert post(machine, "/api/v1/alert-rules", RULE).status_code == 409
    address = f"/api/v1/alert-rules/{rule.json()['id']}"
    change = json.dumps({"limit": -0.001})
    assert machine.patch(address, change, content_type="application/json").status_code == 428
    changed = machine.patch(
        address, change, content_type="application/json", headers={"If-Match": rule["ETag"]}
    )
    assert changed.json()["limit"] == -0.001
    assert machine.delete(address, headers={"If-Match": rule["ETag"]}).status_code == 412
    run_jobs()

    alerts = machine.get("/api/v1/alerts?firing=true&model=delays").json()["items"]
    assert len(alerts) == 1
    assert nobody.get("/api/v1/alerts").json()["items"] == []
    incident = machine.get("/api/v1/incidents?status=open").json()["items"][0]
    place = f"/api/v1/incidents/{incident['id']}"
    assert nobody.get(place).status_code == 404
    assert nobody.get("/api/v1/incidents").json()["items"] == []
    whole = machine.get(place)
    assert [entry["kind"] for entry in whole.json()["timeline"]] == ["opened", "alert"]
    assert post(machine, f"{place}/acknowledge", {}).json()["status"] == "acknowledged"
    assert post(machine, f"{place}/acknowledge", {}).status_code == 409
    assert post(machine, f"{place}/comment", {"text": "Looking."}).status_code == 201
    assert post(machine, f"{place}/resolve", {"resolution": ""}).status_code == 400
    assert (
        post(machine, f"{place}/resolve", {"resolution": "done"}, **{"If-Match": whole["ETag"]}).status_code
        == 412
    )
    assert post(machine, f"{place}/resolve", {"resolution": "Rolled back."}).json()["status"] == "resolved"
    learnt = {"summary": "s", "impact": "i", "cause": "c", "revision": 0}
    assert post(machine, f"{place}/post-mortem", {**learnt, "summary": ""}).status_code == 400
    assert post(machine, f"{place}/post-mortem", learnt).json()["revision"] == 1
    assert post(machine, f"{place}/post-mortem", learnt).status_code == 412
    assert len(machine.get(f"{place}/post-mortem").json()["items"]) == 1
    assert Incident.objects.get().handler == operator

    for part in (
        "",
        "/drift?window=week",
        "/drift?feature=temp",
        "/quality?window=deployment",
        "/health",
        "/data-issues",
        "/costs",
    ):
        answer = machine.get(f"/api/v1/monitoring/models/delays{part}")
        assert answer.status_code == 200, (part, answer.content)
        assert nobody.get(f"/api/v1/monitoring/models/delays{part}").status_code == 404
    weeks = machine.get("/api/v1/monitoring/models/delays/quality?window=week").json()["items"]
    assert {each["role"] for each in weeks} == {"served", "shadow"}
    assert machine.get("/api/v1/monitoring/models/delays/drift?window=hour").status_code == 400
    assert machine.get("/api/v1/monitoring/models/delays?environment=nowhere").status_code == 404

    price = {"resource": "cpu", "price_usd": "0.05", "valid_from": "2026-01-01", "source": "Our rate."}
    assert post(machine, "/api/v1/price-rules", price).status_code == 403
    for change in (
        {"price_usd": "NaN"},
        {"price_usd": -1},
        {"valid_from": "soon"},
        {"resource": "love"},
        {"x": 1},
    ):
        assert post(chief, "/api/v1/price-rules", {**price, **change}).status_code == 400, change
    set_price = post(chief, "/api/v1/price-rules", price)
    assert set_price.status_code == 201
    run_jobs()
    entries = chief.get("/api/v1/cost-entries?model=delays").json()["items"]
    assert {each["activity"] for each in entries} >= {"jobs"}
    assert all(each["currency"] == "USD" for each in entries)
    assert nobody.get("/api/v1/cost-entries").json()["items"] == []
    gone = chief.delete(
        f"/api/v1/price-rules/{set_price.json()['id']}", headers={"If-Match": set_price["ETag"]}
    )
    assert gone.status_code == 204
