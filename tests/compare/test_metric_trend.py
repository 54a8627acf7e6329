"""A metric over versions: joined only where the rows were the same, with a title that claims no more."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.evaluations.models import Evaluation
from registry.models import ModelVersion
from registry.trend import trend_of
from tests.compare.test_comparing_versions import judged, uses

pytestmark = pytest.mark.django_db


@pytest.fixture
def months(make_data):
    return [make_data(f"2013-0{number}") for number in (3, 4)]


@pytest.fixture
def series(make_model, make_version, months):
    """Three versions, the first two tested on March and the third on April."""
    model = make_model("delays")
    march, april = months
    for value, month in ((0.678, march), (0.760, march), (0.754, april)):
        make_version(model, metrics={"roc_auc": value, "log_loss": 1 - value}, tags=uses(("holdout", month)))
    return model


def found_for(actor, model, metric=""):
    return trend_of(actor, ModelVersion.objects.filter(model=model), metric)


def test_lines_join_only_versions_tested_on_the_same_rows(series, actor, scientist):
    trend = found_for(actor(scientist), series)
    assert trend.title == "ROC AUC went from 0.678 (v1) to 0.754 (v3), on different test rows"
    drawn = [trace["x"] for trace in trend.figure()["data"]]
    assert drawn == [["v1", "v2"], ["v3"]]
    assert [row[:3] for row in trend.rows] == [
        ["v3", "0.7540", "test 2"],
        ["v2", "0.7600", "test 1"],
        ["v1", "0.6780", "test 1"],
    ]


def test_the_best_is_named_where_all_were_tested_alike(make_model, make_version, months, actor, scientist):
    model = make_model("delays")
    for value in (0.30, 0.25, 0.27):
        make_version(model, metrics={"log_loss": value}, tags=uses(("holdout", months[0])))
    assert found_for(actor(scientist), model).title == "v2 has the best Log loss, 0.25, of 3 versions"


def test_versions_scored_on_the_same_rows_have_a_line_of_their_own(series, months, actor, scientist):
    first, second, third = series.versions.order_by("number")
    for candidate in (second, third):
        Evaluation.objects.create(
            candidate=candidate,
            champion=first,
            dataset_version=months[1],
            candidate_digest=candidate.digest,
            champion_digest=first.digest,
            dataset_digest="a" * 64,
            status="succeeded",
            result_sha256="b" * 64,
            comparison=judged(0.02, 0.06, 0.10),
        )
    trend = found_for(actor(scientist), series)
    assert trend.shared == {"flights 2013-04": {1: 0.70, 2: 0.76, 3: 0.76}}
    assert trend.figure()["data"][-1]["x"] == ["v1", "v2", "v3"]
    assert trend.title == "v2 and v3 have the same ROC AUC on flights, 0.76"
    assert trend.figure()["layout"]["annotations"][0]["text"] == "2013-04"
    assert trend.head[-1] == "On flights 2013-04"
    assert found_for(actor(scientist), series, "log_loss").shared == {}


def test_the_page_shows_the_metric_that_was_asked_for(series, client_for, scientist):
    client = client_for(scientist)
    assert "ROC AUC went from" in client.get("/models/delays/").content.decode()
    page = client.get("/models/delays/?metric=log_loss").content.decode()
    assert "Log loss went from 0.322" in page
    assert "trend-figure" in page
    assert "ROC AUC went from" in client.get("/models/delays/?metric=nothing%00").content.decode()


def test_without_numbers_there_is_no_trend(make_model, make_version, client_for, actor, scientist):
    model = make_model("delays")
    make_version(model)
    assert found_for(actor(scientist), model) is None
    assert "trend-figure" not in client_for(scientist).get("/models/delays/").content.decode()


def test_the_model_page_asks_the_same_number_of_queries_for_many_versions(
    series, make_row, client_for, scientist
):
    client = client_for(scientist)
    client.get("/models/delays/")
    with CaptureQueriesContext(connection) as few:
        client.get("/models/delays/")
    for number in range(12):
        make_row(series, metrics={"roc_auc": 0.7 + number / 1000})
    with CaptureQueriesContext(connection) as many:
        page = client.get("/models/delays/").content.decode()
    assert len(many) == len(few)
    assert "(v15)" in page
