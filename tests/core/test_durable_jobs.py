"""Jobs: the row is the truth; whoever holds the newest fence writes the outcome."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from core.errors import Conflict, DomainError
from core.jobs.lease import Lease, LeaseLost
from core.jobs.models import Job
from core.jobs.queue import enqueue
from core.jobs.registry import Schedule, job, kinds, schedules
from core.jobs.run import cancel, reap, run_job
from core.jobs.schedule import start_period

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kind():
    """Declare a kind for one test."""
    declared = []

    def declare(handler, **options):
        job("test.work", **options)(handler)
        declared.append("test.work")

    yield declare
    for name in declared:
        kinds.pop(name, None)


def queued() -> Job:
    with transaction.atomic():
        return enqueue("test.work", payload={"n": 1})


def test_a_job_runs_once_however_often_it_is_delivered(kind):
    runs = []
    kind(lambda lease: runs.append(lease.fence) or {"n": lease.payload["n"]})
    row = queued()
    for _ in range(3):
        run_job(row.pk)
    row.refresh_from_db()
    assert runs == [1]
    assert row.status == Job.Status.SUCCEEDED
    assert row.result == {"n": 1}


def test_eight_workers_at_once_run_it_once(kind):
    runs = []
    kind(lambda lease: runs.append(1))
    row = queued()

    def work():
        run_job(row.pk)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs == [1]


def test_enqueue_belongs_to_the_change_that_wants_it(kind):
    kind(lambda lease: None)
    with pytest.raises(RuntimeError, match="transaction"):
        enqueue("test.work")
    with pytest.raises(Conflict), transaction.atomic():
        enqueue("test.work")
        raise Conflict("rolled back")
    assert not Job.objects.exists()


def test_a_refusal_fails_the_job_with_its_sentence_and_a_bug_is_retried(kind):
    def refuse(lease):
        raise DomainError("The artifact is gone.")

    kind(refuse)
    row = queued()
    run_job(row.pk)
    row.refresh_from_db()
    assert (row.status, row.failure, row.attempt) == (Job.Status.FAILED, "The artifact is gone.", 1)

    kind(lambda lease: 1 / 0, max_attempts=2)
    row = queued()
    run_job(row.pk)
    row.refresh_from_db()
    assert row.status == Job.Status.QUEUED
    Job.objects.filter(pk=row.pk).update(run_after=Now())
    run_job(row.pk)
    row.refresh_from_db()
    assert row.status == Job.Status.FAILED
    assert "ZeroDivisionError" in row.failure


def test_the_reaper_takes_a_dead_workers_job_and_the_dead_one_writes_nothing(kind):
    kind(lambda lease: {"by": lease.fence})
    row = queued()
    dead = Lease.take(row.pk)
    assert dead is not None
    Job.objects.filter(pk=row.pk).update(lease_until=Now() - timedelta(seconds=1))
    reap()
    run_job(row.pk)
    with pytest.raises(LeaseLost):
        dead.progress(50, "still alive?")
    assert not dead.mine().update(failure="from the grave")
    row.refresh_from_db()
    assert row.result == {"by": 2}


def test_cancelling_stops_a_waiting_job_at_once_and_a_running_one_at_its_next_check(kind):
    seen = []

    def work(lease):
        cancel(lease.job)
        lease.beat()
        lease.check()
        seen.append("went on")

    kind(work)
    waiting = queued()
    cancel(waiting)
    assert waiting.status == Job.Status.CANCELLED
    running = queued()
    run_job(running.pk)
    running.refresh_from_db()
    assert running.status == Job.Status.CANCELLED
    assert not seen


def test_the_log_tail_keeps_the_newest_lines(kind):
    def work(lease):
        for number in range(250):
            lease.log(f"line {number}")
        lease.progress(40, "half way")

    kind(work)
    row = queued()
    run_job(row.pk)
    row.refresh_from_db()
    assert len(row.log_tail) == 200
    assert row.log_tail[-1] == "line 249"
    assert row.progress_percent == 100


def test_two_beats_start_one_run_in_a_period(kind):
    kind(lambda lease: None)
    schedules["test.work"] = Schedule("test.work", "test.work", timedelta(hours=1))
    try:
        first = start_period("test.work")
        assert first is not None
        assert start_period("test.work") is None
        run_job(first.pk)
        assert start_period("test.work") is None
    finally:
        del schedules["test.work"]
