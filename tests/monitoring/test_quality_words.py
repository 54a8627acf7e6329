"""A value and the verdict beside it are of the same days, or the page says of which."""

from datetime import date, timedelta

import pytest

from monitoring.board import verdicts
from monitoring.board.quality import Quality, quality_title
from monitoring.board.scope import Scope
from monitoring.models import Watch

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2013, 10, 2), date(2014, 1, 1)
NEWEST = date(2013, 12, 30)
SURE, UNSURE, UNKNOWN = (0.01, 0.03), (-0.02, 0.03), (None, None)


def compared(first: date, last: date, interval) -> dict:
    low, high = interval
    both = {
        "served": {"estimate": 0.671}, "shadow": {"estimate": 0.661},
        "difference": {"estimate": 0.010, "low": low, "high": high},
    }  # fmt: skip
    days = {"starts_on": first.isoformat(), "ends_on": last.isoformat(), "blocks": (last - first).days + 1}
    return {"rows": 465, "metrics": {"roc_auc": both}, **days}


@pytest.fixture
def quality(watched, make_row):
    """``quality(week, deployment)``: a newest week and 92 days, with these intervals of the difference."""

    def make(week, deployment=None) -> Quality:
        shadow = make_row(watched.endpoint.model)
        watched.quality_week(
            NEWEST, 0.671, against=shadow, rows=465, predictions=465,
            comparison=compared(NEWEST, NEWEST + timedelta(days=2), week),
        )  # fmt: skip
        if deployment:
            watched.quality_week(
                FIRST, 0.70, granularity="deployment", ends_on=LAST, against=shadow,
                comparison=compared(FIRST, LAST, deployment),
            )  # fmt: skip
        Watch.objects.update(watermark="2014-01-01T10:00Z")
        return Quality(Scope(endpoint=watched.endpoint, watch=Watch.objects.get(), range="7d"))

    return make


def note_of(quality: Quality) -> str:
    return verdicts.quality_cell(quality.scope, quality)["note"]


def test_a_week_that_cannot_tell_names_the_days_of_the_verdict_beside_it(quality):
    told = quality(UNKNOWN, SURE)
    assert note_of(told) == (
        "week of 30 Dec, 465 labelled, too few to compare; v1 is better than v2 over 2 Oct 2013 to 1 Jan 2014"
    )
    assert quality_title(told) == "v1 is better than v2 on the same rows, 2 Oct 2013 to 1 Jan 2014"


def test_a_week_that_can_tell_speaks_for_itself(quality):
    assert note_of(quality(UNSURE, SURE)).endswith("465 labelled; no difference between v1 and v2 in it")


def test_nothing_is_said_of_the_shadow_where_nothing_can_tell(quality):
    assert note_of(quality(UNKNOWN)).endswith("465 labelled; too few to tell it from its shadow")
