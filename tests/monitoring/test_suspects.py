"""What is said for and against a suspect is only what the windows say."""

from datetime import timedelta

import pytest

from monitoring.incidents.models import Alert, AlertRule, Incident
from monitoring.incidents.suspects import suspects_of
from tests.monitoring.conftest import FIRST

pytestmark = pytest.mark.django_db
WEEKS = [FIRST + timedelta(weeks=number) for number in range(6)]


@pytest.fixture
def evidence_of_temp(watched):
    """What the page of an incident of the last two weeks says of temp."""

    def evidence() -> str:
        rule = AlertRule.objects.create(
            endpoint=watched.endpoint, name="Floor", metric="roc_auc", direction="below", limit=0.7
        )
        incident = Incident.objects.create(
            title="Low", severity="critical", model=watched.endpoint.model, endpoint=watched.endpoint,
            version=watched.version,
        )  # fmt: skip
        alert = Alert.objects.create(
            rule=rule, version=watched.version, incident=incident, finding="Low", window_starts_on=WEEKS[5],
            windows=[{"starts_on": each.isoformat()} for each in WEEKS[4:]],
        )  # fmt: skip
        found = {each.title: each.evidence for each in suspects_of(incident, [alert])}
        return found["temp drifted"]

    return evidence


def test_an_input_that_moved_in_every_labelled_week_has_no_week_to_compare_with(watched, evidence_of_temp):
    for number, week in enumerate(WEEKS):
        watched.feature_week(week, psi=0.3 + number / 10)
        watched.quality_week(week, 0.66 if number == 0 else 0.65)
    evidence = evidence_of_temp()
    assert evidence.startswith("PSI 0.80 in the week of 6 May 2013.")
    assert "had not" not in evidence
    assert "Moving together is not a cause" in evidence


def test_weeks_that_cannot_tell_whether_the_input_moved_are_left_out(watched, evidence_of_temp):
    levels = ["stable", "few", "none", "stable", "alert", "warn"]
    for week, level, quality in zip(WEEKS, levels, [0.80, 0.10, 0.20, 0.70, 0.64, 0.66], strict=True):
        watched.feature_week(week, level=level, psi=0.05 if level == "stable" else 0.4)
        watched.quality_week(week, quality)
    assert evidence_of_temp().endswith(
        "ROC AUC is 0.650 over 2 weeks in which it had moved and 0.750 over 2 weeks in which it had not."
    )


def test_a_week_without_a_drift_window_is_no_week_in_which_the_input_stood_still(watched, evidence_of_temp):
    for week in WEEKS[2:]:
        watched.feature_week(week)
    for week in WEEKS:
        watched.quality_week(week, 0.65)
    assert "had not" not in evidence_of_temp()
