"""Pages across all: an admin sees the system, others their own jobs, a stranger nothing."""

import pytest
from django.db import transaction

from core.jobs.queue import enqueue
from core.jobs.registry import job, kinds

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting_job(scientist, actor):
    job("test.wait")(lambda lease: None)
    with transaction.atomic():
        yield enqueue("test.wait", actor=actor(scientist))
    kinds.pop("test.wait")


def test_only_admins_see_the_system(admin, scientist, client_for):
    assert client_for(admin).get("/admin/system/").status_code == 200
    assert client_for(scientist).get("/admin/system/").status_code == 404


def test_jobs_are_seen_by_who_asked_and_nobody_else(waiting_job, scientist, stranger, admin, client_for):
    address = f"/jobs/{waiting_job.pk}/"
    for who in (scientist, admin):
        assert client_for(who).get(address).status_code == 200
        assert "test.wait" in client_for(who).get("/jobs/").content.decode()
    assert client_for(stranger).get(address).status_code == 404
    assert "test.wait" not in client_for(stranger).get("/jobs/").content.decode()
    assert client_for(stranger).post(f"{address}cancel/").status_code == 404


def test_who_asked_may_stop_the_job(waiting_job, scientist, client_for):
    assert client_for(scientist).post(f"/jobs/{waiting_job.pk}/cancel/").status_code == 302
    waiting_job.refresh_from_db()
    assert waiting_job.status == "cancelled"


def test_search_finds_pages_one_may_open(admin, stranger, client_for):
    assert "System" in client_for(admin).get("/search/?q=sys").content.decode()
    found = client_for(stranger).get("/search/?q=sys", headers={"HX-Request": "true"}).content.decode()
    assert "/admin/system/" not in found


@pytest.mark.parametrize("bad", ["before=x", "before=%00", "after=1"])
def test_a_broken_page_position_is_told(admin, client_for, bad):
    assert client_for(admin).get(f"/jobs/?{bad}").status_code == 400
