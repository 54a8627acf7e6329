"""What this installation measured comes before what a run says of itself."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.access.services import grant
from registry.compare.alike import AlikeLine
from registry.evaluations.measured import measured_name, measured_of
from registry.evaluations.models import Evaluation
from registry.models import ModelVersion, VersionDataset
from registry.trend import trend_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def march(make_data):
    return make_data("2013-03")


@pytest.fixture
def measured(march):
    """``measured(version, 0.5)``: scored on March, which it names as its hold-out, within 0.01."""

    def score(version, auc, data=None, **more):
        data = data or march
        VersionDataset.objects.get_or_create(version=version, dataset_version=data, role="holdout")
        figures = {"estimate": auc, "low": auc - 0.01, "high": auc + 0.01}
        return Evaluation.objects.create(**{
            "candidate": version, "dataset_version": data, "candidate_digest": version.digest,
            "dataset_digest": data.digest, "status": "succeeded", "result_sha256": "b" * 64, "rows": 100,
            "comparison": {"metrics": {"roc_auc": {"candidate": figures}}}, **more,
        })  # fmt: skip

    return score


def test_the_version_says_first_what_was_measured(make_model, make_row, measured, client_for, reviewer):
    version = make_row(make_model(), metrics={"roc_auc": 0.9}, holdout={"kind": "time_ordered"})
    address, client = "/models/delays/versions/1/", client_for(reviewer)
    assert "as its run logged it" in client.get(address).content.decode()
    measured(version, 0.7, candidate_digest="f" * 64)
    assert "as its run logged it" in client.get(address).content.decode(), "other bytes were measured"
    evaluation = measured(version, 0.5)
    page = client.get(address)
    assert '<p class="v">0.5</p>' in page.content.decode()
    assert "scored here on flights v1; its run logged 0.9" in page.content.decode()
    fact = next(each for each in page.context["readiness"].facts if "Its run logged" in each.title)
    assert fact.title == "Its run logged ROC AUC 0.9; it is 0.5 here"
    assert (fact.tone, fact.forbids, fact.address) == ("warn", False, evaluation.address)
    measured(version, 0.9)
    facts = client.get(address).context["readiness"].facts
    assert not any("Its run logged" in each.title for each in facts), "the newest counts"


def test_lists_say_first_what_was_measured(make_model, make_row, measured, client_for, scientist):
    model = make_model()
    make_row(model, metrics={"roc_auc": 0.9})
    measured(make_row(model, metrics={"roc_auc": 0.9}), 0.5)
    page = client_for(scientist).get("/models/delays/").content.decode()
    assert "ROC AUC 0.5, scored here on flights v1; its run logged 0.9" in page
    assert '<small>scored here; <span class="t-warn">logged 0.9</span></small>' in page
    assert "0.9000<small>as its run logged it</small>" in page
    line = client_for(scientist).get("/models/").content.decode()
    assert "ROC AUC 0.5000, scored here on flights v1" in line
    assert "its run logged 0.9" in line


def test_data_one_may_not_see_gives_no_figure(
    make_model, make_row, measured, client_for, stranger, scientist, actor
):
    version = make_row(make_model(), metrics={"roc_auc": 0.9})
    measured(version, 0.5)
    grant(actor=actor(scientist), model=version.model, account=stranger, right="view", reason="Reads.")
    client = client_for(stranger)
    pages = [client.get(each).content.decode() for each in ("/models/", "/models/delays/")]
    assert all("0.9000" in page and "0.5000" not in page and "flights" not in page for page in pages)
    page = client.get("/models/delays/versions/1/").content.decode()
    assert "as its run logged it" in page and "not evaluated yet" not in page


def test_a_figure_on_rows_that_were_trained_on_says_so(
    make_model, make_row, measured, march, actor, reviewer
):
    version = make_row(make_model(), metrics={"accuracy": 0.8})
    VersionDataset.objects.create(version=version, dataset_version=march, role="training")
    measured(version, 0.99)
    (found,) = measured_of(actor(reviewer), [version]).values()
    assert found.note == "scored here on rows it was trained on; its run logged accuracy 0.8"
    assert (found.words, found.is_apart) == ("ROC AUC", False)


def test_twelve_versions_cost_what_one_does(make_model, make_row, measured, client_for, reviewer):
    model, client = make_model(), client_for(reviewer)

    def costs(path):
        client.get(path)
        with CaptureQueriesContext(connection) as seen:
            client.get(path)
        return len(seen)

    paths = ("/models/", "/models/delays/")
    measured(make_row(model, metrics={"roc_auc": 0.9}), 0.5)
    few = [costs(path) for path in paths]
    for number in range(11):
        measured(make_row(model, metrics={"roc_auc": 0.9}), 0.5 + number / 100)
    assert [costs(path) for path in paths] == few


def test_versions_scored_one_at_a_time_on_the_same_rows_are_compared(
    make_model, make_row, measured, make_data, march, client_for, reviewer
):
    model = make_model()
    said = {"metrics": {"roc_auc": 0.9}}
    a = make_row(model, **said)
    b = ModelVersion.objects.create(model=model, number=2, status="READY", digest="b" * 64, **said)
    measured(a, 0.98)
    measured(b, 0.97, data=make_data("2013-04"))
    address, client = "/models/delays/compare/?a=1&b=2", client_for(reviewer)
    assert client.get(address).context["comparison"].alike is None, "scored on other rows"
    measured(b, 0.5)
    page = client.get(address)
    assert page.context["answers"][0][1].title == "Worse"
    assert "ROC AUC on flights v1, each alone" in page.content.decode()
    assert "−0.4800" in page.content.decode()
    VersionDataset.objects.create(version=a, dataset_version=march, role="training")
    assert client.get(address).context["comparison"].alike is None, "one was trained on these rows"


def test_the_trend_finds_the_best_by_what_was_measured(
    make_model, make_row, measured, march, actor, reviewer
):
    model = make_model()
    for auc in (0.7, 0.8, 0.99):
        measured(make_row(model, metrics={"roc_auc": 1 - auc}), auc)
    VersionDataset.objects.create(
        version=model.versions.get(number=3), dataset_version=march, role="training"
    )
    trend = trend_of(actor(reviewer), model.versions.all())
    assert trend.title == "v2 has the better ROC AUC on flights: 0.8 against 0.7 of v1"
    assert "all tested on the same rows" in trend.sub


def test_a_verdict_needs_intervals_that_do_not_meet():
    def verdict(low, high, more_is_better=True):
        side = {"estimate": (low + high) / 2, "low": low, "high": high}
        known = {"estimate": 0.7, "low": 0.69, "high": 0.71}
        return AlikeLine("ROC AUC", known, side, more_is_better).verdict

    assert verdict(0.72, 0.74) == "Better"
    assert verdict(0.72, 0.74, more_is_better=False) == "Worse"
    assert verdict(0.705, 0.73) == "Not known for sure"
    assert AlikeLine("x", {"estimate": 1.0}, {"estimate": 2.0}, True).verdict == "Inconclusive"


def test_names_of_runs_for_what_evaluations_measure():
    names = ("holdout_roc_auc", "val/pr_auc", "test_auc", "Average_Precision", "accuracy")
    assert [measured_name(name) for name in names] == ["roc_auc", "pr_auc", "roc_auc", "pr_auc", ""]
