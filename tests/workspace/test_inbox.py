"""What waits for whom: signatures, incidents, failed work; nothing for a stranger."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.jobs import enqueue
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


def test_what_one_signed_is_shown_and_waits_no_more(promotion, reviewer, sign, page):
    sign(reviewer, promotion)
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


def test_one_and_twelve_failed_jobs_cost_the_same_queries(scientist, actor, client_for):
    client = client_for(scientist)

    def fail(times):
        for _ in range(times):
            with transaction.atomic():
                job = enqueue("registry.fail_stalled_evaluations", actor=actor(scientist))
            type(job).objects.filter(pk=job.pk).update(status="failed", finished_at=job.created_at)
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/inbox/").status_code == 200
        return len(seen)

    fail(1)
    assert fail(1) == fail(10)
