"""Jobs by REST: where an answer of 202 points to."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from core.jobs.models import Job
from core.jobs.queue import enqueue
from core.jobs.registry import job, kinds
from registry.services import create_model, delete_model, rename_model
from tests.registry.conftest import make_model, make_version, tracking  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(scientist, actor):
    """``ask()``: a job of the scientist that says something and counts to three."""

    def count(lease):
        lease.progress(50, "Counting")
        lease.log("one")
        lease.log("two")
        return {"counted": 3}

    job("test.count")(count)

    def one():
        with transaction.atomic():
            return enqueue("test.count", actor=actor(scientist))

    yield one
    kinds.pop("test.count")


def test_an_answer_of_202_points_to_the_job(make_model, tracking, token_client, scientist, run_jobs):
    make_model("delays")
    client = token_client(scientist)
    body = {"source": tracking.add_run("r1"), "run_id": "r1"}
    answer = client.post("/api/v1/models/delays/versions", body, "application/json")
    waiting = client.get(answer["Location"])
    assert waiting.status_code == 200, waiting.content
    assert waiting.json()["status"] == "queued"
    run_jobs()
    done = client.get(answer["Location"], headers={"If-None-Match": waiting["ETag"]})
    assert (done.status_code, done.json()["status"], done.json()["progress_percent"]) == (
        200,
        "succeeded",
        100,
    )
    assert done.json()["model"] == "delays"
    again = client.get(answer["Location"], headers={"If-None-Match": done["ETag"]})
    assert (again.status_code, again["ETag"]) == (304, done["ETag"])


def test_a_job_says_how_far_it_is_and_what_came_of_it(ask, token_client, scientist, run_jobs):
    made = ask()
    run_jobs()
    said = token_client(scientist, ["view"]).get(f"/api/v1/jobs/{made.pk}").json()
    assert (said["kind"], said["step"], said["outcome"]) == ("test.count", "Counting", {"counted": 3})
    assert said["log_tail"] == ["one", "two"]
    assert (said["failure"], said["requested_by"]) == ("", "scientist")


def test_others_find_nothing(ask, stranger, operator, admin, token_client, client_for):
    made = ask()
    for client in (token_client(stranger), client_for(stranger), token_client(operator)):
        assert client.get("/api/v1/jobs").json()["items"] == []
        hidden = client.get(f"/api/v1/jobs/{made.pk}")
        missing = client.get(f"/api/v1/jobs/{'0' * 36}")
        assert (hidden.status_code, missing.status_code) == (404, 404)
        assert hidden.json()["detail"] == missing.json()["detail"]
        assert client.post(f"/api/v1/jobs/{made.pk}/cancel").status_code == 404
    assert [each["id"] for each in token_client(admin).get("/api/v1/jobs").json()["items"]] == [str(made.pk)]
    made.refresh_from_db()
    assert made.status == "queued"


def test_who_asked_stops_the_job_once(ask, scientist, token_client):
    made = ask()
    address = f"/api/v1/jobs/{made.pk}/cancel"
    refused = token_client(scientist, ["view"]).post(address)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    client = token_client(scientist)
    answer = client.post(address)
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert Event.objects.filter(fields__action="workspace.job_cancelled").count() == 1
    assert client.post(address).status_code == 409


def test_a_running_job_is_asked_to_stop(ask, scientist, token_client):
    made = ask()
    Job.objects.filter(pk=made.pk).update(status="running")
    answer = token_client(scientist).post(f"/api/v1/jobs/{made.pk}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    assert answer.json()["cancel_requested_at"]


def test_the_list_narrows_by_status_and_asks_as_much_for_1_as_for_12(ask, scientist, token_client):
    client = token_client(scientist)
    client.get("/api/v1/jobs")

    def questions():
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/api/v1/jobs").status_code == 200
        return len(seen)

    ask()
    one = questions()
    for _ in range(11):
        ask()
    assert questions() == one
    assert len(client.get("/api/v1/jobs?status=queued").json()["items"]) == 12
    assert client.get("/api/v1/jobs?status=failed").json()["items"] == []
    odd = client.get("/api/v1/jobs?status=odd")
    assert (odd.status_code, odd.json()["errors"][0]["pointer"]) == (400, "/status")


@pytest.mark.parametrize("freed_by", ["renamed", "deleted"])
def test_a_freed_name_brings_no_jobs_along(
    freed_by, make_model, tracking, token_client, scientist, make_account, actor
):
    model = make_model("delays")
    client = token_client(scientist)
    body = {"source": tracking.add_run("r1"), "run_id": "r1"}
    address = client.post("/api/v1/models/delays/versions", body, "application/json")["Location"]
    if freed_by == "renamed":
        rename_model(actor=actor(scientist), model=model, new_name="late-delays")
        assert client.get(address).status_code == 200
    else:
        delete_model(actor=actor(scientist), model=model, reason="Named wrongly.")
    other = make_account("other-scientist", "data-scientist")
    create_model(actor=actor(other), name="delays")
    theirs = token_client(other)
    assert theirs.get(address).status_code == 404
    assert theirs.get("/api/v1/jobs").json()["items"] == []
