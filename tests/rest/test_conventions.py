"""What holds for every REST resource: revisions, retries, jobs, and who one is."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from core.jobs.models import Job
from pipelines.models import DatasetVersion
from tests.pipelines.conftest import CONTRACT, parquet, table

pytestmark = pytest.mark.django_db
JSON = "application/json"
VERSIONS = "/api/v1/datasets/flights/versions"


def uploaded(client, content, **headers):
    return client.post(VERSIONS, {"file": SimpleUploadedFile("t.parquet", content)}, headers=headers)


@pytest.fixture
def machine(token_client, scientist):
    client = token_client(scientist)
    about = {"name": "flights", "event_time_column": "at", "key_columns": ["id"]}
    assert client.post("/api/v1/datasets", about, JSON).status_code == 201
    return client


def test_a_repeated_upload_gets_the_first_answer(machine):
    content, other = parquet(table()), parquet(table(hour=[1, 2, 3, 4]))
    first = uploaded(machine, content, **{"Idempotency-Key": "k"})
    again = uploaded(machine, content, **{"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    different = uploaded(machine, other, **{"Idempotency-Key": "k"})
    assert (different.status_code, different.json()["code"]) == (422, "idempotency_key_reused")
    assert DatasetVersion.objects.count() == 1
    assert (
        machine.post(VERSIONS, "no form", "multipart/form-data", headers={"Idempotency-Key": "x"}).status_code
        == 400
    )


def test_what_was_never_quarantined_cannot_be_released(machine, token_client, admin):
    """A version that no worker has read yet has no content to be ready with."""
    uploaded(machine, parquet(table()))
    for verb in ("release", "quarantine"):
        refused = token_client(admin).post(f"{VERSIONS}/1/{verb}", {"reason": "Why not."}, JSON)
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert DatasetVersion.objects.get().status == "pending"


def test_every_read_has_a_revision_and_is_not_sent_twice(machine, run_jobs):
    uploaded(machine, parquet(table()))
    run_jobs()
    contract = json.dumps({"document": CONTRACT})
    made = machine.put("/api/v1/datasets/flights/contract", contract, JSON)
    assert (made.status_code, bool(made["ETag"])) == (201, True)
    for path in (
        "",
        "/flights",
        "/flights/versions",
        "/flights/versions/1",
        "/flights/contract",
        "/flights/checks",
    ):
        address = f"/api/v1/datasets{path}"
        read = machine.get(address)
        known = machine.get(address, headers={"If-None-Match": read["ETag"]})
        assert (known.status_code, known.content, known["ETag"]) == (304, b"", read["ETag"]), path
    assert machine.put("/api/v1/datasets/flights/contract", contract, JSON).status_code == 428
    stale = machine.put("/api/v1/datasets/flights/contract", contract, JSON, headers={"If-Match": '"x"'})
    assert stale.status_code == 412
    assert not machine.get("/api/v1/datasets/nothing").has_header("ETag")


def test_a_job_is_followed_by_who_asked_for_it_and_by_nobody_else(machine, token_client, stranger, run_jobs):
    address = uploaded(machine, parquet(table()))["Location"]
    waiting = machine.get(address)
    assert (waiting.status_code, waiting.json()["status"]) == (200, "queued")
    for method, path in (("get", address), ("post", f"{address}/cancel")):
        assert getattr(token_client(stranger), method)(path).status_code == 404
    assert token_client(stranger).get("/api/v1/jobs").json()["items"] == []
    run_jobs()
    over = machine.get(address, headers={"If-None-Match": waiting["ETag"]})
    assert (over.status_code, over.json()["status"], over.json()["progress_percent"]) == (
        200,
        "succeeded",
        100,
    )
    assert machine.get("/api/v1/jobs?status=succeeded").json()["items"][0]["id"] == over.json()["id"]
    assert machine.post(f"{address}/cancel").status_code == 409
    assert machine.get("/api/v1/jobs?status=odd").status_code == 400


def test_a_job_is_stopped_by_who_asked_for_it(machine):
    address = uploaded(machine, parquet(table()))["Location"]
    stopped = machine.post(f"{address}/cancel", headers={"Idempotency-Key": "stop"})
    assert (stopped.status_code, stopped.json()["status"]) == (200, "cancelled")
    assert machine.post(f"{address}/cancel", headers={"Idempotency-Key": "stop"}).json() == stopped.json()


def test_jobs_are_listed_with_the_same_number_of_questions_for_1_and_12(machine, scientist):
    def questions():
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as seen:
            assert machine.get("/api/v1/jobs").status_code == 200
        return len(seen)

    Job.objects.create(kind="t", requested_by_id=scientist.pk)
    questions()
    one = questions()
    Job.objects.bulk_create(Job(kind="t", requested_by_id=scientist.pk) for _ in range(11))
    assert questions() == one


def test_a_token_is_told_who_it_is(token_client, client_for, client, scientist, reviewer):
    me = token_client(scientist, ["view", "register"]).get("/api/v1/me").json()
    assert (me["account"], me["roles"], me["via"]) == ("scientist", ["data-scientist"], "token")
    assert me["token"]["scopes"] == ["register", "view"]
    assert set(me["rights"]) <= {"view", "register"}
    session = client_for(reviewer).get("/api/v1/me").json()
    assert (session["via"], session["token"]) == ("session", None)
    assert "approve" in session["rights"]
    assert client.get("/api/v1/me").status_code == 401
