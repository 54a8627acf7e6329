"""Alerts and their rules, as people see them."""

import pytest

from monitoring.incidents.models import Alert, AlertRule, Incident
from tests.monitoring.conftest import FIRST

pytestmark = pytest.mark.django_db


@pytest.fixture
def rule(watched):
    """``rule(...)``: an alert rule of the endpoint, against the shadow unless said otherwise."""

    def make(**more) -> AlertRule:
        values = {
            "name": "Below shadow", "metric": "roc_auc", "against": "shadow", "direction": "below", "limit": 0,
            "window": "week", **more,
        }  # fmt: skip
        return AlertRule.objects.create(endpoint=watched.endpoint, **values)

    return make


@pytest.fixture
def fired(watched, rule):
    """``fired(windows, ...)``: an alert of such a rule, by default with an incident."""

    def make(windows, incident=True, finding="It fell", **more) -> Alert:
        opened = incident and Incident.objects.create(
            title=finding, severity="critical", model=watched.endpoint.model, endpoint=watched.endpoint,
            version=watched.version,
        )  # fmt: skip
        return Alert.objects.create(
            rule=rule(**more), version=watched.version, incident=opened or None, finding=finding,
            window_starts_on=FIRST, windows=windows,
        )  # fmt: skip

    return make


def window(day, value, low=None, high=None) -> dict:
    return {"starts_on": day, "value": value, "low": low, "high": high, "words": "seen", "rows": 900}


def seen_on_page(alert, client) -> str:
    page = client.get(f"/incidents/{alert.incident_id}/").content.decode()
    return page.split("What was seen")[1].split("</section>")[0]


def test_an_incident_shows_how_sure_each_breach_is(fired, operator, client_for):
    alert = fired(
        [
            window("2013-04-22", -0.070, -0.124, 0.027),
            window("2013-04-29", -0.058, -0.102, -0.017),
            window("2013-05-06", -0.051),
        ]
    )
    unsure, sure, unknown = seen_on_page(alert, client_for(operator)).split("<tbody>")[1].split("</tr>")[:3]
    assert "22 Apr 2013" in unsure
    assert "2013-04-22" not in unsure
    assert "−0.124 to +0.027" in unsure
    assert "No difference" in unsure
    assert "−0.102 to −0.017" in sure
    assert "Worse" in sure
    assert "none" in unknown
    assert "Too few rows" in unknown


def test_a_limit_is_only_surely_crossed_when_the_whole_interval_is(fired, operator, client_for):
    windows = [window("2013-04-22", 0.66, 0.62, 0.72), window("2013-04-29", 0.64, 0.60, 0.68)]
    alert = fired(windows, against="limit", limit=0.7)
    unsure, sure = seen_on_page(alert, client_for(operator)).split("<tbody>")[1].split("</tr>")[:2]
    assert "0.620 to 0.720" in unsure
    assert "May be chance" in unsure
    assert "Below the limit" in sure
