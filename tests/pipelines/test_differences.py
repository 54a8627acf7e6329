"""Two versions side by side: columns and rows at once, distributions as measured on every row."""

import numpy
import polars
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from core.errors import Conflict
from measures.drift import psi
from pipelines import services
from pipelines.models import DatasetVersion, VersionDifference
from pipelines.version_changes import compared_columns, schema_changes
from tests.pipelines.conftest import parquet

pytestmark = pytest.mark.django_db
API = "/api/v1/datasets/flights/compare"
PAGE = "/data/flights/compare/"
ROWS = 3000


def flights(warmer=0.0, origins=("EWR", "JFK", "LGA"), **columns):
    random = numpy.random.default_rng(7)
    return polars.DataFrame(
        {
            "id": [f"{warmer}-{n}" for n in range(ROWS)],
            "temp": random.normal(10 + warmer, 5, ROWS),
            "hour": random.integers(0, 24, ROWS),
            "origin": random.choice(origins, ROWS),
            "at": [f"2013-01-{1 + n % 28:02d}T10:00:00Z" for n in range(ROWS)],
            **columns,
        }
    ).with_columns(polars.col("at").str.to_datetime(time_zone="UTC"))


@pytest.fixture
def months(make_dataset, add_version):
    """January, and a warmer February with a new origin, a new column and one gone."""
    dataset = make_dataset()
    january = add_version(dataset, parquet(flights()), label="2013-01")
    warmer = flights(8.0, ("EWR", "JFK", "HPN")).drop("hour").head(2000)
    february = add_version(dataset, parquet(warmer.with_columns(late=polars.lit(1))), label="2013-02")
    return january, february


def test_every_row_of_both_is_read_and_psi_is_that_of_measures(months, actor, scientist, run_jobs):
    january, february = months
    asked = {"before": january, "after": february}
    row = services.request_difference(actor=actor(scientist), **asked)
    assert services.request_difference(actor=actor(scientist), **asked) == row
    assert run_jobs() == 1
    row.refresh_from_db()
    assert row.status == "ready", row.failure
    found = {each["name"]: each for each in row.columns}
    assert list(found) == ["origin", "temp"] or list(found) == ["temp", "origin"]
    assert (found["temp"]["level"], found["origin"]["level"]) == ("alert", "alert")
    before, after = flights(), flights(8.0, ("EWR", "JFK", "HPN")).head(2000)
    counts = [
        [(side["origin"] == name).sum() for name in ("EWR", "JFK", "LGA")] + [(side["origin"] == "HPN").sum()]
        for side in (before, after)
    ]
    assert found["origin"]["psi"] == pytest.approx(psi(*counts))
    assert sum(found["origin"]["after"]) == pytest.approx(1, abs=1e-4)
    assert len(found["temp"]["bars"]) == len(found["temp"]["before"]) + 1
    assert Event.objects.get(fields__action="pipelines.versions_compared").fields["after"]["moved"]


def test_a_running_number_that_is_the_key_does_not_move(make_dataset, add_version, client_for, scientist):
    dataset = make_dataset()
    january, february = (
        add_version(dataset, parquet(flights(warmer, id=range(start, start + ROWS))))
        for warmer, start in ((0.0, 0), (8.0, ROWS))
    )
    keys = dataset.key_columns
    assert compared_columns(january.profile, february.profile, keys) == ["temp", "hour", "origin"]
    measured = {"psi": 8.28, "noise": 0.01, "level": "alert", "bars": [], "before": [], "after": []}
    columns = [{"name": "id", **measured}, {"name": "temp", **measured, "psi": 2.5}]
    VersionDifference.objects.create(before=january, after=february, status="ready", columns=columns)
    page = client_for(scientist).get(PAGE).content.decode()
    assert "8.28" not in page
    assert "1 column moved far" in page


def test_keys_times_and_columns_of_another_type_are_not_compared(months):
    january, february = months
    assert compared_columns(january.profile, february.profile) == ["temp", "origin"]
    assert [change.words for change in schema_changes(january.schema, february.schema)] == [
        "late is new (integer)",
        "hour is gone (integer)",
    ]
    other = [{"name": "late", "type": "string", "nullable": True}]
    (change,) = schema_changes(february.schema[-1:], other)
    assert change.words == "late changes from integer to string"


def test_the_page_and_rest_agree_before_and_after_the_rows_were_read(
    months, scientist, client_for, token_client, run_jobs
):
    browser, client = client_for(scientist), token_client(scientist)
    page = browser.get(PAGE).content.decode()
    assert (
        "flights v1 to v2" in page and "late is new (integer)" in page and "Compare the distributions" in page
    )
    told = client.get(f"{API}?a=1&b=2").json()
    assert told["rows"] == {"a": 3000, "b": 2000, "difference": -1000}
    assert told["distribution"]["status"] == "unknown"
    assert not VersionDifference.objects.exists()
    json = {"content_type": "application/json"}
    assert client.post(API, {"a": 1, "b": 2}, **json).status_code == 202
    assert b"Waiting for a worker" in browser.get(f"{PAGE}?a=1&b=2").content
    run_jobs()
    page = browser.get(f"{PAGE}?a=1&b=2&sort=name").content.decode()
    assert "2 columns moved far" in page
    answer = client.post(API, {"a": 1, "b": 2}, **json)
    assert answer.status_code == 200
    columns = {each["name"]: each for each in answer.json()["columns"]}
    assert columns["temp"]["distribution"]["level"] == "alert"
    assert f"{columns['temp']['distribution']['psi']:.2f}" in page
    fragment = browser.post(f"{PAGE}measure/", {"a": 2, "b": 1}, headers={"HX-Request": "true"})
    assert b"Waiting for a worker" in fragment.content
    assert browser.post(f"{PAGE}measure/", {"a": 1, "b": 2}).url == f"{PAGE}?a=1&b=2"


def test_a_wrong_pair_is_refused_with_a_sentence_and_keeps_nothing(
    months, scientist, token_client, client_for, actor, make_dataset, add_version
):
    client, browser = token_client(scientist), client_for(scientist)
    for query, status in (
        ("", 400),
        ("?a=1&b=x", 400),
        ("?a=1&b=9", 404),
        ("?a=1&b=1", 409),
        ("?a=-1&b=1", 400),
    ):
        assert client.get(API + query).status_code == status, query
        if query:
            assert browser.get(PAGE + query).status_code == status, query
    assert client.post(API, {"a": 1}, content_type="application/json").status_code == 400
    elsewhere = add_version(make_dataset("other"), parquet(flights(1.0)))
    unread = DatasetVersion.objects.create(dataset=months[0].dataset, number=9, source_digest="0" * 64)
    for door, path in ((client, API), (browser, PAGE)):
        for pair in ("?a=1&b=9", "?a=9&b=1"):
            assert door.get(path + pair).status_code == 409
    assert "nothing to compare" in client.get(f"{API}?a=1&b=9").json()["detail"]
    for after in (months[0], elsewhere, unread):
        with pytest.raises(Conflict):
            services.request_difference(actor=actor(scientist), before=months[0], after=after)
    assert not VersionDifference.objects.exists()


def test_nobody_compares_what_they_may_not_see(months, stranger, make_account, client_for):
    for nobody in (stranger, make_account("other", "data-scientist")):
        client = client_for(nobody)
        assert client.get(PAGE).status_code == client.get(f"{API}?a=1&b=2").status_code == 404
        assert client.post(f"{PAGE}measure/", {"a": 1, "b": 2}).status_code == 404
        assert client.post(API, {"a": 1, "b": 2}, content_type="application/json").status_code == 404
    assert not VersionDifference.objects.exists()


def test_one_version_has_nothing_to_compare_with_and_says_so(make_dataset, scientist, client_for):
    make_dataset()
    assert b"Nothing to compare yet" in client_for(scientist).get(PAGE).content


def test_twelve_columns_cost_no_more_queries_than_two(months, scientist, client_for, add_version):
    client = client_for(scientist)
    with CaptureQueriesContext(connection) as few:
        client.get(f"{PAGE}?a=1&b=2")
    wide = flights().with_columns(polars.lit(n).alias(f"c{n}") for n in range(10))
    add_version(months[0].dataset, parquet(wide))
    add_version(months[0].dataset, parquet(wide.head(100)))
    with CaptureQueriesContext(connection) as more:
        client.get(f"{PAGE}?a=3&b=4")
    assert len(more) == len(few)
