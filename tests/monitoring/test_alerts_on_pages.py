"""Alerts and their rules, as people see them."""

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from monitoring.incidents.models import Alert, AlertRule, Incident
from monitoring.models import Watch
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
    unsure, sure, unknown = seen_on_page(alert, client_for(operator)).split("<tbody")[1].split("</tr>")[:3]
    assert "22 Apr 2013" in unsure
    assert "2013-04-22" not in unsure
    assert "−0.124 to +0.027" in unsure
    assert "No difference" in unsure
    assert "−0.102 to −0.017" in sure
    assert "Worse" in sure
    assert "no interval" in unknown
    assert "Too few rows" in unknown


def test_a_limit_is_only_surely_crossed_when_the_whole_interval_is(fired, operator, client_for):
    windows = [window("2013-04-22", 0.66, 0.62, 0.72), window("2013-04-29", 0.64, 0.60, 0.68)]
    alert = fired(windows, against="limit", limit=0.7)
    unsure, sure = seen_on_page(alert, client_for(operator)).split("<tbody")[1].split("</tr>")[:2]
    assert "0.620 to 0.720" in unsure
    assert "May be chance" in unsure
    assert "Below the limit" in sure


DRIFTED = {"metric": "psi", "feature": "temp", "against": "limit", "direction": "above", "limit": 0.25}
FINDING = "temp at PSI 7.05, above the 0.25 line since the week of 1 Jul 2013"


def test_an_alert_without_incident_is_on_the_pages_of_its_model_and_of_all(
    fired, watched, operator, stranger, client_for
):
    fired([window("2013-07-01", 7.05)], incident=False, finding=FINDING, severity="warning", **DRIFTED)
    browser, nobody = client_for(operator), client_for(stranger)
    page = browser.get("/models/delays/monitoring/").content.decode()
    assert FINDING in page.split('<dl class="verdict"')[0]
    assert "1 alert firing" in browser.get("/monitoring/").content.decode()
    assert FINDING in browser.get("/monitoring/").content.decode()
    assert FINDING not in nobody.get("/monitoring/").content.decode()
    assert nobody.get("/models/delays/monitoring/").status_code == 404


def test_an_alert_is_said_once_while_its_incident_is_open_and_again_when_that_is_resolved_too_early(
    fired, operator, client_for
):
    alert = fired([window("2013-07-01", 7.05)], finding=FINDING, **DRIFTED)
    browser = client_for(operator)
    assert "Firing alert" not in browser.get("/models/delays/monitoring/").content.decode()
    Incident.objects.filter(pk=alert.incident_id).update(status="resolved", resolution="Done.")
    assert "Firing alert" in browser.get("/models/delays/monitoring/").content.decode()


def test_every_rule_of_an_endpoint_is_shown_with_its_state(fired, rule, watched, operator, client_for):
    browser = client_for(operator)
    assert "No rule watches this endpoint" in browser.get("/models/delays/monitoring/").content.decode()
    fired([window("2013-07-01", 7.05)], incident=False, **DRIFTED)
    rule(name="Off", metric="error_rate", against="limit", direction="above", limit=0.02, is_enabled=False)
    rule(name="Gone", retired_at=watched.endpoint.created_at)
    shadow = rule(name="Fine")
    Watch.objects.update(refreshed_at=Now())
    page = browser.get("/models/delays/monitoring/").content.decode()
    card = page.split('id="rules"')[1].split("</section>")[0]
    assert [card.count(word) for word in ("Firing", "Switched off", "Silent", "Gone")] == [1, 1, 1, 0]
    assert shadow.sentence.replace("'", "&#x27;") in card


def test_alerts_and_rules_cost_no_more_queries_when_there_are_twelve(fired, watched, operator, client_for):
    browser = client_for(operator)

    def counted(address):
        browser.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(address).status_code == 200
        return len(seen)

    fired([window("2013-07-01", 7.05)], incident=False, name="0", **DRIFTED)
    addresses = ["/monitoring/", "/models/delays/monitoring/"]
    before = [counted(address) for address in addresses]
    for number in range(1, 12):
        fired([window("2013-07-01", 7.05)], incident=False, name=str(number), **DRIFTED)
    assert [counted(address) for address in addresses] == before
