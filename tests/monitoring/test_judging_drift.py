"""Drift is judged by whole weeks: a day, or a week cut short, accuses nobody."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring.board.distribution import distribution
from monitoring.board.drift import over_time, series_of
from monitoring.board.heat import heat_map
from monitoring.board.scope import Scope
from monitoring.board.verdicts import drift_cell
from monitoring.models import Reference, Watch

pytestmark = pytest.mark.django_db
MONDAY = date(2013, 12, 23)
RUNNING = MONDAY + timedelta(weeks=1)
LAST = date(2014, 1, 1)


@pytest.fixture
def scope(watched):
    """``scope("7d")``: the endpoint over that range, which ends on a Wednesday."""

    def make(range_name: str) -> Scope:
        Watch.objects.update(watermark="2014-01-01T10:00Z")
        return Scope(endpoint=watched.endpoint, watch=Watch.objects.get(), range=range_name)

    return make


@pytest.fixture
def year_end(watched):
    """An input like a calendar: every day it is elsewhere, in a whole week it is not."""
    for number in range(10):
        day = MONDAY + timedelta(days=number)
        watched.feature_week(day, "weekday", psi=5.0, granularity="day", rows=225, noise=0.02)
    watched.feature_week(MONDAY - timedelta(weeks=2), "weekday", level="stable", psi=0.01)
    watched.feature_week(MONDAY, "weekday", level="stable", psi=0.02)
    watched.feature_week(RUNNING, "weekday", level="alert", psi=4.85, rows=465)
    # The first events are older than what is shown.
    watched.feature_week(MONDAY - timedelta(weeks=2), "weekday", granularity="day", level="stable", psi=0.0)


@pytest.mark.parametrize("range_name", ["24h", "7d", "28d", "90d"])
def test_an_input_that_only_follows_the_calendar_has_not_moved(year_end, scope, range_name):
    picked = scope(range_name)
    series = series_of(picked)
    heat = heat_map(picked, series)
    assert heat["title"] == "No input has moved from the training data"
    assert heat["sub"].endswith("judged by the week of 23 Dec 2013")
    assert drift_cell(series, picked)["value"] == "0"
    assert [row["tone"] for row in heat["rows"]] == ["ok"]
    assert "weekday" not in over_time(picked, series)["title"]


def test_a_week_cut_short_is_drawn_with_a_word_and_not_judged(year_end, scope):
    heat = heat_map(scope("28d"), series_of(scope("28d")))
    style, words, _ = heat["rows"][0]["cells"][-1]
    assert (style, words) == ("h6 cut", "4.850 (not a whole week)")
    assert heat["heads"][-1] == ("so far", "the week of 30 Dec 2013 (not a whole week)")
    assert heat["rows"][0]["cells"][-2][:2] == ("h0", "0.020")


def test_a_week_inside_of_which_a_version_began_is_not_whole(watched, scope):
    watched.feature_week(MONDAY + timedelta(days=3), "temp", granularity="day", rows=900)
    watched.feature_week(MONDAY, "temp", psi=0.9)
    series = series_of(scope("28d"))
    assert heat_map(scope("28d"), series)["title"].startswith("No whole week")
    assert drift_cell(series, scope("28d"))["tone"] == "none"


def test_too_few_rows_say_nothing_however_far_they_lie(watched, scope):
    watched.feature_week(MONDAY, "temp", psi=2.0, rows=21, noise=0.4)
    heat = heat_map(scope("28d"), series_of(scope("28d")))
    assert heat["rows"][0]["cells"][-2][:2] == ("hx few", "too few rows (21)")
    assert heat["rows"][0]["judged"] is None


def test_an_input_that_moved_in_a_whole_week_is_named_in_every_range(watched, scope):
    watched.feature_week(MONDAY - timedelta(weeks=3), "temp", granularity="day", psi=0.5)
    watched.feature_week(MONDAY, "temp", psi=0.5)
    watched.feature_week(LAST, "temp", granularity="day", psi=0.5, rows=225)
    for range_name in ("24h", "7d", "28d"):
        picked = scope(range_name)
        assert heat_map(picked, series_of(picked))["title"] == "temp has moved from the training data"


def test_the_page_says_how_it_judges_in_as_many_queries_for_twelve_inputs(
    year_end, watched, scope, operator, client_for
):
    scope("7d")
    browser, address = client_for(operator), "/models/delays/monitoring/?range=7d"

    def counted() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert "in the newest whole week" in browser.get(address).content.decode()
        return len(seen)

    counted()
    before = counted()
    for number in range(11):
        watched.feature_week(LAST, f"input {number}", granularity="day", rows=300)
        watched.feature_week(MONDAY, f"input {number}")
    assert counted() == before


@pytest.mark.parametrize(("type_name", "median"), [("long", "4"), ("integer", "4"), ("double", "3.999")])
def test_the_median_of_an_integer_input_is_an_integer(watched, make_row, scope, type_name, median):
    inputs = [{"type": type_name, "name": "weekday"}]
    version = make_row(watched.endpoint.model, signature={"inputs": inputs})
    profile = {
        "rows": 10, "missing": 0, "distinct": 7, "kind": "numeric", "low": 1.0, "median": 3.999, "high": 7.0,
        "bars": [1, 4, 7], "counts": [5, 5],
    }  # fmt: skip
    Reference.objects.create(
        version=version, status="ready", dataset="flights", frame_key="f", profile={"in_weekday": profile}
    )
    watched.version = version
    watched.feature_week(
        MONDAY, "weekday", level="stable", psi=0.01, median=3.999, low=1.0, high=7.0, bars=[5, 5]
    )
    drawn = distribution(scope("28d"), series_of(scope("28d")))
    assert ("Median", median, median) in drawn["facts"]
    assert ("Range", "1 to 7", "1 to 7") in drawn["facts"]
