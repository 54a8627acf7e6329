"""Late data is noticed by the clock that counts, said on pages and in inboxes, and cleared by newer data."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import Event
from core.errors import Invalid, NotAllowed
from core.jobs import enqueue
from pipelines import services
from pipelines.freshness import Freshness, about, words_of
from pipelines.models import DatasetVersion, FreshnessAlarm
from tests.pipelines.conftest import parquet, table

pytestmark = pytest.mark.django_db
API = "/api/v1/datasets"
NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture
def watch(run_jobs):
    """The periodic look of a worker."""
    from django.db import transaction

    def look():
        with transaction.atomic():
            enqueue("pipelines.watch_freshness")
        run_jobs()

    return look


def test_two_clocks_and_what_they_say():
    told = {
        "expected_every": DAY,
        "watermark": NOW - 3 * DAY,
        "arrived_at": NOW,
        "created_at": NOW,
        "now": NOW,
    }
    event, arrival = Freshness(clock="event", **told), Freshness(clock="arrival", **told)
    assert (event.is_late, event.late_by) == (True, 2 * DAY)
    assert (arrival.is_late, arrival.late_by) == (False, None)
    without = Freshness(clock="event", **{**told, "watermark": None, "arrived_at": NOW - 2 * DAY})
    assert (without.follows, without.is_late) == ("arrival", True)
    assert not Freshness(clock="event", **{**told, "expected_every": None}).is_late
    assert (
        "no version has come yet"
        in Freshness(
            clock="event", **{**told, "watermark": None, "arrived_at": None, "created_at": NOW - 2 * DAY}
        ).finding
    )
    assert [words_of(each) for each in (DAY, 2 * DAY, timedelta(hours=36), timedelta(minutes=90))] == [
        "day",
        "2 days",
        "36 hours",
        "90 minutes",
    ]
    assert (about(timedelta(seconds=5)), about(timedelta(hours=47))) == ("1 minute", "47 hours")


def test_an_alarm_is_raised_once_told_to_the_owner_and_cleared_by_newer_data(
    make_dataset, add_version, scientist, actor, watch, client_for, token_client, reviewer
):
    dataset = make_dataset()
    add_version(dataset)
    client, machine = client_for(scientist), token_client(scientist)
    etag = machine.get(f"{API}/flights")["ETag"]
    answer = machine.patch(
        f"{API}/flights",
        {"expected_every": "P7D"},
        content_type="application/json",
        headers={"If-Match": etag},
    )
    assert answer.status_code == 200, answer.content
    assert (answer.json()["expected_every"], answer.json()["freshness"]["is_late"]) == ("P7DT00H00M00S", True)
    alarm = dataset.alarms.get()
    assert "data ends at 2013-01-03 04:00 UTC, newer data is expected every 7 days" in alarm.finding
    watch()
    assert dataset.alarms.count() == 1
    assert "Late by" in client.get("/data/flights/").content.decode()
    assert b"1 late" in client.get("/data/").content
    assert alarm.finding in client.get("/inbox/").content.decode()
    assert alarm.finding not in client_for(reviewer).get("/inbox/").content.decode()
    assert machine.get(f"{API}?state=late").json()["items"][0]["name"] == "flights"
    recent = [(NOW - timedelta(hours=n)).isoformat() for n in range(4)]
    add_version(dataset, parquet(table(at=recent)))
    alarm.refresh_from_db()
    assert alarm.cleared_at and "event time reached" in alarm.cleared_because
    assert b"Late by" not in client.get("/data/flights/").content
    assert machine.get(f"{API}/flights/alarms").json()["items"][0]["cleared_because"]
    assert machine.get(f"{API}/flights/alarms?state=open").json()["items"] == []
    actions = Event.objects.filter(fields__action="pipelines.dataset_late").count()
    assert actions == Event.objects.filter(fields__action="pipelines.dataset_on_time").count() == 1


def test_time_alone_makes_data_late_and_quarantine_takes_its_times_away(
    make_dataset, add_version, scientist, actor, watch
):
    dataset, mine = make_dataset(), actor(scientist)
    add_version(dataset)
    recent = [(NOW - timedelta(hours=n)).isoformat() for n in range(4)]
    version = add_version(dataset, parquet(table(at=recent)))
    services.update_dataset(actor=mine, dataset=dataset, expected_every=DAY)
    watch()
    assert not FreshnessAlarm.objects.exists()
    DatasetVersion.objects.filter(pk=version.pk).update(event_time_to=NOW - 2 * DAY)
    watch()
    assert dataset.alarms.open().count() == 1
    services.update_dataset(actor=mine, dataset=dataset, freshness_clock="arrival")
    assert not dataset.alarms.open().exists()
    services.update_dataset(actor=mine, dataset=dataset, freshness_clock="event", expected_every=3 * DAY)
    assert not dataset.alarms.open().exists()
    services.quarantine_version(actor=mine, version=version, reason="Wrong feed.")
    assert "2013-01-03" in dataset.alarms.open().get().finding
    services.update_dataset(actor=mine, dataset=dataset, expected_every=None)
    assert dataset.alarms.order_by("-raised_at").first().cleared_because == "nothing is expected any more"


def test_an_interval_is_checked_and_only_set_by_who_administers(
    make_dataset, scientist, actor, make_account, reviewer, client_for, stranger
):
    dataset = make_dataset()
    for wrong in (timedelta(seconds=1), timedelta(days=40_000), -DAY):
        with pytest.raises(Invalid) as refused:
            services.update_dataset(actor=actor(scientist), dataset=dataset, expected_every=wrong)
        assert refused.value.field == "expected_every"
    with pytest.raises(Invalid):
        services.update_dataset(actor=actor(scientist), dataset=dataset, freshness_clock="sundial")
    with pytest.raises(NotAllowed):
        services.update_dataset(actor=actor(reviewer), dataset=dataset, expected_every=DAY)
    assert client_for(reviewer).get("/data/flights/edit/").status_code == 403
    for path in ("/data/flights/edit/", f"{API}/flights/alarms"):
        assert client_for(stranger).get(path).status_code == 404
    client = client_for(scientist)
    sent = {
        "description": "Flights.",
        "every": "2",
        "unit": "hours",
        "clock": "arrival",
        "revision": dataset.rev,
    }
    for wrong in ({"every": "x"}, {"unit": "years"}, {"every": "999999", "unit": "days"}, {"revision": "0"}):
        assert client.post("/data/flights/edit/", {**sent, **wrong}).status_code == 422
    dataset.refresh_from_db()
    assert dataset.expected_every is None
    assert client.post("/data/flights/edit/", sent).status_code == 302
    dataset.refresh_from_db()
    assert (dataset.expected_every, dataset.freshness_clock) == (timedelta(hours=2), "arrival")
    stale = client.post("/data/flights/edit/", {**sent, "description": "Mine."})
    assert stale.status_code == 412 and b"Somebody changed it" in stale.content and b"Mine." in stale.content


def test_lists_are_narrowed_sorted_and_paged_and_cost_the_same_for_twelve(
    make_dataset, scientist, client_for, token_client, stranger, actor, add_version
):
    client, machine = client_for(scientist), token_client(scientist)
    first = make_dataset("a-first")
    client.get("/data/")
    with CaptureQueriesContext(connection) as few:
        client.get("/data/")
    for number in range(11):
        make_dataset(f"b-{number:02d}")
    with CaptureQueriesContext(connection) as more:
        page = client.get("/data/").content.decode()
    assert len(more) == len(few)
    assert page.index("a-first") < page.index("b-00") < page.index("b-10")
    newest = client.get("/data/?sort=newest").content.decode()
    assert newest.index("b-10") < newest.index("a-first")
    assert b"No data set fits" in client.get("/data/?q=zzz").content
    names = [each["name"] for each in machine.get(f"{API}?sort=name&q=b-0&limit=3").json()["items"]]
    assert names == ["b-00", "b-01", "b-02"]
    version = add_version(first)
    services.quarantine_version(actor=actor(scientist), version=version, reason="Wrong.")
    found = machine.get(f"{API}?state=quarantined").json()["items"]
    assert [each["name"] for each in found] == ["a-first"]
    assert len(machine.get(f"{API}?state=unpromised&show=mine").json()["items"]) == 12
    for bad in ("?state=odd", "?sort=odd", "?show=theirs"):
        assert machine.get(API + bad).status_code == 400
        assert client.get("/data/" + bad).status_code == 400
    assert b"a-first" not in client_for(stranger).get("/data/?state=quarantined").content
