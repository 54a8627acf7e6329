"""The story at the level of rows: log, labels, windows, alert, incident, rollback."""

import re
from array import array
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from core.object_store import store
from deployments.models import Endpoint
from monitoring.incidents import services as incidents
from monitoring.incidents.models import Alert, Incident
from monitoring.models import (
    DataIssue,
    FeatureWindow,
    HealthWindow,
    LabelDay,
    QualityWindow,
    Reference,
    Watch,
)
from monitoring.services import checked_labels, record_labels
from registry.evaluations import services as evaluations
from registry.evaluations.models import Evaluation
from registry.models import VersionDataset
from tests.monitoring.conftest import FIRST, rows_of, scored

pytestmark = pytest.mark.django_db(transaction=True)
PER_DAY = 150


@pytest.fixture
def story(
    make_model, trained_version, bring_live, production, request_log, run_jobs, operator, actor, settings
):
    """Two weeks of version 2 (warm, worse) with version 1 in its shadow; labels come a day later."""
    model = make_model("delays")
    first = bring_live(trained_version(model), production)
    second = bring_live(
        trained_version(model), production, {"steps": [{"weight": 100}], "shadow_former": True}
    )
    first.refresh_from_db()
    labels = []
    for number in range(15):
        day = FIRST + timedelta(days=number)
        rows = rows_of(
            PER_DAY, seed=number, temp=22.0 if number >= 3 else 10.0, missing=0.5 if number == 9 else 0.0
        )
        truth, worse = scored(rows, number, 0.2)
        _, better = scored(rows, number, 0.8)
        ids = request_log.add(second, rows, worse, day)
        request_log.add(first, rows, better, day, ids=ids, slot="shadow")
        request_log.seal()
        seen = datetime(2013, 4, 1, 20, tzinfo=UTC) + timedelta(days=number + 1)
        labels += [
            {"prediction_id": each, "label": value, "observed_at": seen.isoformat()}
            for each, value in zip(ids, truth, strict=True)
        ]
    run_jobs(2000)
    return Story(model, first, second, labels)


class Story:
    def __init__(self, model, first, second, labels):
        self.model, self.first, self.second, self.labels = model, first, second, labels
        self.endpoint = Endpoint.objects.select_related("model", "environment").get(model=model)

    def send_labels(self, actor, labels=None):
        return record_labels(
            actor=actor, endpoint=self.endpoint, labels=checked_labels(labels or self.labels)
        )


def test_the_log_becomes_windows_against_the_training_reference(story):
    reference = Reference.objects.get(version=story.second.version)
    assert reference.status == "ready", reference.failure
    assert reference.rows == 3000
    assert set(reference.profile) == {"in_hour", "in_carrier", "in_temp"}
    windows = FeatureWindow.objects.filter(version=story.second.version, role="served", granularity="day")
    assert windows.count() == 15 * 3
    temps = {window.starts_on: window for window in windows.filter(feature="temp")}
    assert temps[FIRST].level in {"stable", "few"}
    assert temps[FIRST + timedelta(days=5)].psi > 2
    assert temps[FIRST + timedelta(days=5)].level == "alert"
    week = FeatureWindow.objects.get(
        version=story.second.version, role="served", granularity="week", starts_on=FIRST, feature="hour"
    )
    assert (week.rows, week.level) == (7 * PER_DAY, "stable")
    watch = Watch.objects.get()
    assert watch.watermark.date() == FIRST + timedelta(days=14)
    health = HealthWindow.objects.filter(role="served", granularity="hour", version=story.second.version)
    assert sum(window.requests for window in health) == 15 * PER_DAY


def test_predictions_are_compared_with_what_the_version_scored_on_held_out_rows(
    story, training_data, system, run_jobs
):
    version = story.second.version
    windows = FeatureWindow.objects.filter(version=version, role="served", is_prediction=True)
    assert not windows.exists()
    held_out = training_data(rows_of(600, seed=99), label="held out")
    VersionDataset.objects.create(version=version, dataset_version=held_out, role="holdout")
    _, scores = scored(rows_of(600, seed=99), 99, 0.2)
    running = Evaluation.objects.create(
        candidate=version, dataset_version=held_out, candidate_digest=version.digest, dataset_digest=held_out.digest,
        status="running", fence=1,
    )  # fmt: skip
    kept = store().put_stream(BytesIO(array("d", scores).tobytes()))
    outcome = evaluations.Outcome(
        comparison={"metrics": {}}, slices=[], latency={}, rows=600, blocks=1, sandbox="bubblewrap",
        cpu_seconds_per_1000=None, scores_digest=kept.digest,
    )  # fmt: skip
    evaluations.finish(actor=system, evaluation=running, fence=1, outcome=outcome)
    run_jobs()
    reference = Reference.objects.get(version=version)
    assert (reference.status, reference.profile["score"]["rows"]) == ("ready", 600)
    assert reference.score_source == "600 rows of its hold-out, which training left out"
    weeks = list(windows.filter(granularity="week").order_by("starts_on"))
    assert [each.rows for each in weeks] == [7 * PER_DAY, 7 * PER_DAY, PER_DAY]
    assert {each.level for each in weeks[:2]} == {"stable"}
    other = Reference.objects.get(version=story.first.version)
    assert "score" not in other.profile


def test_missing_values_become_a_data_issue_with_its_days(story):
    issue = DataIssue.objects.get(version=story.second.version, feature="temp", kind="missing")
    assert issue.first_day == issue.last_day == FIRST + timedelta(days=9)
    assert 0.4 < issue.share < 0.6
    assert not issue.is_open


def test_late_labels_give_quality_of_both_versions_on_the_same_rows(story, operator, actor, run_jobs):
    waiting = QualityWindow.objects.get(
        version=story.second.version, role="served", granularity="week", starts_on=FIRST
    )
    assert (waiting.rows, waiting.reason) == (0, "No labels yet.")
    story.send_labels(actor(operator))
    run_jobs()
    week = QualityWindow.objects.get(
        version=story.second.version, role="served", granularity="week", starts_on=FIRST
    )
    assert week.rows == week.predictions == 7 * PER_DAY
    assert week.against == story.first.version
    both = week.comparison["metrics"]["roc_auc"]
    assert both["served"]["estimate"] < 0.8 < both["shadow"]["estimate"]
    assert both["difference"]["is_conclusive"]
    assert both["difference"]["high"] < 0
    assert week.comparison["blocks"] == 7
    day = QualityWindow.objects.get(
        version=story.second.version, role="served", granularity="day", starts_on=FIRST
    )
    assert not day.metrics["roc_auc"]["is_conclusive"]
    arrived = LabelDay.objects.get(day=FIRST)
    assert (arrived.predictions, arrived.labelled) == (PER_DAY, PER_DAY)
    assert sum(arrived.delays.values()) == PER_DAY
    assert QualityWindow.objects.get(role="shadow", granularity="week", starts_on=FIRST).rows == 7 * PER_DAY


def test_falling_below_the_shadow_for_two_weeks_opens_an_incident_that_ends_in_a_rollback(
    story, operator, actor, run_jobs
):
    rule = {
        "name": "Below shadow",
        "metric": "roc_auc",
        "against": "shadow",
        "direction": "below",
        "window": "week",
    }
    incidents.create_rule(actor=actor(operator), endpoint=story.endpoint, rule=rule)
    story.send_labels(actor(operator))
    run_jobs()
    alert = Alert.objects.get()
    assert alert.window_starts_on == FIRST + timedelta(days=7)
    assert "below v1 on the same rows since the week of 1 Apr 2013" in alert.finding
    for window in alert.windows:
        assert window["low"] < window["value"] < window["high"] < 0
    assert re.search(r"difference −0\.\d{3} \(−0\.\d{3} to −0\.\d{3}\)", _alert_entry(alert))
    incident = alert.incident
    assert (incident.status, incident.version) == ("open", story.second.version)
    incidents.acknowledge(actor=actor(operator), incident=incident)
    back = incidents.roll_back(
        actor=actor(operator),
        incident=incident,
        to_deployment=story.first,
        reason="Worse than its predecessor in April.",
    )
    assert back == story.first
    assert Endpoint.objects.get(pk=story.endpoint.pk).live == story.first
    run_jobs()
    alert.refresh_from_db()
    assert alert.cleared_because == "v2 is no longer live."
    incident.refresh_from_db()
    incidents.resolve(actor=actor(operator), incident=incident, resolution="Rolled back to v1.")
    incidents.write_post_mortem(
        actor=actor(operator),
        incident=incident,
        post_mortem={"summary": "v2 was worse.", "impact": "Two weeks.", "cause": "A flattering hold-out."},
    )
    incident.refresh_from_db()
    kinds = list(incident.timeline.values_list("kind", flat=True))
    assert kinds[:3] == ["opened", "alert", "acknowledged"]
    assert kinds.count("rolled_back") == 1
    assert kinds[-2:] == ["resolved", "post_mortem"]


def test_a_second_refresh_changes_no_window_and_raises_nothing_twice(
    story, operator, actor, run_jobs, system
):
    from django.db import transaction

    from monitoring.services import request_refresh

    rule = {"name": "Drift", "metric": "psi", "direction": "above", "limit": 0.25, "fewest_rows": 50}
    incidents.create_rule(actor=actor(operator), endpoint=story.endpoint, rule=rule)
    story.send_labels(actor(operator))
    run_jobs()

    def all_windows():
        kinds = (FeatureWindow, QualityWindow, HealthWindow, LabelDay, DataIssue)
        return [sorted(map(str, kind.objects.values_list(*_fields(kind)))) for kind in kinds]

    before, alerts = all_windows(), Alert.objects.count()
    assert alerts == 1
    story.send_labels(actor(operator))
    with transaction.atomic():
        request_refresh(story.endpoint)
    run_jobs()
    assert all_windows() == before
    assert Alert.objects.count() == alerts
    assert Incident.objects.count() == 1


def _alert_entry(alert):
    return alert.incident.timeline.get(kind="alert").text


def _fields(kind):
    return [field.attname for field in kind._meta.fields if field.name != "id"]
