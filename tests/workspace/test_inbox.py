"""What waits for whom: signatures, incidents, failed work; nothing for a stranger."""

from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.jobs import enqueue
from core.jobs.models import Job
from monitoring.incidents.models import Incident
from tests.approvals.conftest import (  # noqa: F401 - fixtures
    answer,
    heldout,
    make_model,
    make_version,
    model_files,
    production,
    promotion,
    sign,
    tracking,
    version,
)
from tests.pipelines.conftest import add_version, make_dataset  # noqa: F401 - fixtures
from tests.registry.conftest import make_row  # noqa: F401 - fixtures
from workspace.job_subjects import KINDS, subjects_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client_for):
    return lambda account: client_for(account).get("/inbox/").content.decode()


def test_a_request_waits_for_those_who_may_sign(promotion, reviewer, scientist, operator, stranger, page):
    title = f"Promote {promotion.version} to production"
    assert "1 thing waits for you" in page(reviewer)
    assert title in page(reviewer)
    assert "Nothing waits for you" in page(scientist)
    assert "What you asked others for" in page(scientist)
    assert title not in page(operator)
    assert "delays" not in page(stranger)


def test_a_request_that_gates_forbid_stands_once(promotion, scientist, page):
    promotion.gate_results.filter(mode="block").update(outcome="failed")
    inbox = page(scientist)
    assert inbox.count(f"Promote {promotion.version} to production") == 1
    assert "What you asked others for" not in inbox


def test_what_one_signed_is_shown_and_waits_no_more(promotion, reviewer, scientist, stranger, sign, page):
    assert "What was decided" not in page(scientist)
    sign(reviewer, promotion)
    assert "What was decided on what you asked" in page(scientist)
    assert "What was decided" not in page(reviewer) + page(stranger)
    assert "Nothing waits for you" in page(reviewer)
    assert "What you signed last" in page(reviewer)


def test_an_incident_waits_for_who_runs_or_owns_the_model(
    version,
    operator,
    scientist,
    reviewer,
    stranger,
    page,
):
    Incident.objects.create(title="AUC fell below its floor", severity="critical", model=version.model)
    assert "You may roll back; nobody has it yet" in page(operator)
    assert "You own the model; nobody has it yet" in page(scientist)
    assert "AUC fell" not in page(reviewer)
    assert 'class="count hot">1<' in page(reviewer)
    assert 'class="count hot"' not in page(stranger)


def test_failed_work_waits_for_who_asked(scientist, admin, actor, page):
    with transaction.atomic():
        job = enqueue("registry.fail_stalled_evaluations", actor=actor(scientist))
    type(job).objects.filter(pk=job.pk).update(
        status="failed", failure="It broke.", finished_at=job.created_at
    )
    assert "It broke." in page(scientist)
    assert "It broke." not in page(admin)


def test_one_and_twelve_failed_jobs_cost_the_same_queries(make_model, make_row, scientist, actor, client_for):
    client, model = client_for(scientist), make_model("delays")

    def fail(times):
        for _ in range(times):
            version = make_row(model)
            with transaction.atomic():
                job = enqueue("registry.verify_version", subject=version, model=model, actor=actor(scientist))
            type(job).objects.filter(pk=job.pk).update(status="failed", finished_at=job.created_at)
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/inbox/").status_code == 200
        return len(seen)

    fail(1)
    assert fail(1) == fail(10)


def test_an_upload_that_cannot_be_read_is_named_and_says_why(
    make_dataset, add_version, scientist, client_for, page, stranger
):
    dataset = make_dataset("flights")
    add_version(dataset, b'id,at\na,2013-01-01\n"b,2013-01-02\n')
    inbox = page(scientist)
    assert "flights v1 could not be read" in inbox
    assert "Line 3 is not CSV: a quotation mark is opened and never closed." in inbox
    assert "pipelines.profile_version" not in inbox
    [job] = Job.objects.filter(status="failed")
    shown = client_for(scientist).get(f"/jobs/{job.pk}/").content.decode()
    assert '<a class="link" href="/data/flights/?version=1">flights v1</a>' in shown
    assert "correct the file and send it as another version" in shown
    assert "flights" not in page(stranger)
    assert client_for(stranger).get(f"/jobs/{job.pk}/").status_code == 404


def test_what_one_sees_no_more_is_named_no_more(
    make_dataset, add_version, make_account, scientist, actor, page
):
    other = make_account("colleague", "data-scientist")
    add_version(make_dataset("flights"), b"id,id\n1,2\n")
    Job.objects.update(requested_by_id=other.pk)
    assert "flights" not in page(other)
    assert "Read and describe a data set version: failed" in page(other)


def test_failed_work_on_a_model_waits_while_one_may_see_the_model(
    make_model, make_row, actor, scientist, stranger, page
):
    version = make_row(make_model("delays"))
    with transaction.atomic():
        job = enqueue("registry.verify_version", subject=version, model=version.model, actor=actor(scientist))
    Job.objects.filter(pk=job.pk).update(status="failed", finished_at=job.created_at)
    assert "The stored files of delays v1 are not proven" in page(scientist)
    Job.objects.filter(pk=job.pk).update(requested_by_id=stranger.pk)
    assert "delays" not in page(stranger)
    assert 'class="count hot"' not in page(stranger)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_object_can_be_looked_for(kind, scientist, actor):
    nothing = Job(subject_type=kind, subject_id=str(uuid4()))
    assert subjects_of(actor(scientist), [nothing, Job()]) == {}
