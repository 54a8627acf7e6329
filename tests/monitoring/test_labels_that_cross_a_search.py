"""Labels, segments and refreshes that come while a refresh is looking: none is passed over for good."""

from threading import Thread

import pytest
from django.db import connection, transaction

from core.jobs.lease import Lease
from core.jobs.models import Job
from monitoring.models import Label, LabelBatch, StaleDay
from monitoring.refresh import labels as searching
from monitoring.services.labels import checked_labels, record_labels
from monitoring.services.refreshing import REFRESH, request_refresh
from tests.monitoring.conftest import FIRST, rows_of, scored

OBSERVED = "2013-04-08T06:00:00Z"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def live(make_model, trained_version, bring_live, production):
    return bring_live(trained_version(make_model("delays")), production)


@pytest.fixture
def asked(live, request_log):
    """``asked(20)``: the ids of 20 predictions whose journal waits to be sealed."""
    return lambda size: request_log.add(live, rows_of(size), scored(rows_of(size), 1, 0.5)[1], FIRST)


@pytest.fixture
def send(live, system):
    def labels_for(ids):
        given = checked_labels([{"prediction_id": each, "label": 1, "observed_at": OBSERVED} for each in ids])
        return record_labels(actor=system, endpoint=live.endpoint, labels=given)

    return labels_for


@pytest.fixture
def meanwhile(monkeypatch):
    """``meanwhile(act)``: act once, after a refresh has chosen what to search and before it writes."""

    def arrange(act):
        todo = [act]
        search = searching.event_times

        def searched(*args):
            found = search(*args)
            if todo:
                todo.pop()()
            return found

        monkeypatch.setattr(searching, "event_times", searched)

    return arrange


def test_a_segment_sealed_meanwhile_is_searched_for_labels_that_found_nothing(
    asked, send, request_log, run_jobs, meanwhile
):
    early = asked(10)
    request_log.seal()
    late = asked(15)
    batch = send([*early, *late])
    meanwhile(request_log.seal)
    run_jobs()
    batch.refresh_from_db()
    assert (batch.unknown, batch.unknown_examples) == (0, [])


def test_labels_sent_meanwhile_are_searched_for(asked, send, request_log, run_jobs, meanwhile):
    first, second = asked(10), asked(15)
    request_log.seal()
    send(first)
    meanwhile(lambda: send(second))
    run_jobs()
    assert list(LabelBatch.objects.order_by("received").values_list("received", "unknown")) == [
        (10, 0),
        (15, 0),
    ]


def test_a_label_corrected_meanwhile_has_its_day_computed_again(
    live, asked, send, request_log, run_jobs, meanwhile, system
):
    ids = asked(10)
    request_log.seal()
    send(ids)
    corrected = [{"prediction_id": ids[0], "label": 0, "observed_at": OBSERVED}]

    def correct():
        known = Label.objects.get(prediction_id=ids[0])
        assert known.event_time is None
        record_labels(actor=system, endpoint=live.endpoint, labels=checked_labels(corrected))

    meanwhile(correct)
    run_jobs()
    record_labels(actor=system, endpoint=live.endpoint, labels=checked_labels([{**corrected[0], "label": 1}]))
    assert StaleDay.objects.filter(watch__endpoint=live.endpoint, day=FIRST).exists()
    run_jobs()
    assert not StaleDay.objects.exists()


def test_labels_that_repeat_others_are_looked_at_too(asked, send, request_log, run_jobs):
    ids = asked(10)
    request_log.seal()
    send(ids)
    run_jobs()
    again = send(ids)
    run_jobs()
    again.refresh_from_db()
    assert (again.repeated, again.unknown) == (10, 0)
    assert again.matched_at is not None


def test_a_refresh_that_waits_begins_after_what_relies_on_it_is_committed(live, run_jobs):
    run_jobs()
    with transaction.atomic():
        waiting = request_refresh(live.endpoint)
    taken = []

    def take():
        taken.append(Lease.take(waiting.pk))
        connection.close()

    worker = Thread(target=take)
    with transaction.atomic():
        assert request_refresh(live.endpoint) == waiting
        worker.start()
        worker.join(0.5)
        assert not taken
    worker.join(10)
    assert taken[0].job_id == waiting.pk
    with transaction.atomic():
        assert request_refresh(live.endpoint) != waiting
    assert Job.objects.filter(kind=REFRESH, status=Job.Status.QUEUED).count() == 1
