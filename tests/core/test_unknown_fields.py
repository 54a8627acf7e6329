"""A field that a door does not know is refused by name: ignored, it would be read as heeded."""

import pytest
from django.utils import timezone
from rest_framework import serializers
from rest_framework.serializers import ModelSerializer

from audit.models import Export
from core.api.fields import Body
from deployments.models import Deployment, Endpoint, Environment, Scorer, Target
from monitoring.models import Label
from pipelines.models import Dataset, DatasetVersion
from registry.models import ModelVersion, RegisteredModel, VersionDataset
from tests.registry.conftest import make_model, make_row, tracking  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
JSON = "application/json"


def named(answer):
    assert answer.status_code == 400, answer.content
    return [each["pointer"] for each in answer.json()["errors"]]


def test_an_export_of_a_misspelt_selection_is_not_an_export_of_everything(auditor, token_client):
    body = {"format": "bundle", "selection": {"from": "2013-01-01"}}
    assert named(token_client(auditor).post("/api/v1/audit/exports", body, JSON)) == ["/selection"]
    assert not Export.objects.exists()


def test_every_body_of_rest_refuses_what_it_does_not_know(make_model, make_row, token_client, scientist):
    make_row(make_model("delays"))
    client = token_client(scientist)
    sent = {"If-Match": "*"}
    for method, address in (
        (client.post, "models"),
        (client.patch, "models/delays"),
        (client.patch, "models/delays/versions/1"),
        (client.post, "models/delays/versions"),
        (client.put, "models/delays/aliases/next"),
        (client.post, "datasets"),
        (client.post, "evaluations"),
        (client.post, "promotion-requests"),
        (client.post, "deployments"),
        (client.post, "endpoints"),
        (client.post, "grants"),
    ):
        assert named(method(f"/api/v1/{address}", {"surprise": 1, "a": 2}, JSON, headers=sent)) == [
            "/a",
            "/surprise",
        ], address
    assert RegisteredModel.objects.count() == 1


def below(kind):
    return {each for child in kind.__subclasses__() for each in {child, *below(child)}}


def test_every_serializer_is_of_a_model_or_refuses_what_it_does_not_know():
    """Six are but parts of answers, or of the schema."""
    loose = {each for each in below(serializers.Serializer) if not issubclass(each, Body | ModelSerializer)}
    ours = {each.__name__ for each in loose if not each.__module__.startswith(("rest_framework", "drf_"))}
    assert ours == {
        "CallerSerializer",
        "EventSerializer",
        "FileSerializer",
        "GivenGrantSerializer",
        "SubjectSerializer",
        "GivenLabelSerializer",
        "ReceivedSerializer",
        "SourceGrantSerializer",
    }


@pytest.fixture
def endpoint(make_model):
    return Endpoint.objects.create(
        model=make_model("delays"),
        environment=Environment.objects.get(name="staging"),
        target=Target.objects.first(),
    )


def with_inputs(model, **inputs):
    signature = {"inputs": [{"name": name, "type": kind} for name, kind in inputs.items()]}
    return ModelVersion.objects.create(
        model=model, number=1, status="READY", digest="a" * 64, signature=signature
    )


def go_live(endpoint, version):
    endpoint.live = Deployment.objects.create(
        endpoint=endpoint,
        version=version,
        digest=version.digest,
        is_protected=False,
        status="live",
        slot="stable",
        live_at=timezone.now(),
    )
    endpoint.save()
    return endpoint.live


def test_an_event_time_column_is_one_that_requests_can_have(endpoint, operator, token_client):
    version = with_inputs(endpoint.model, hour="long", at="string")
    client = token_client(operator)
    address = f"/api/v1/endpoints/{endpoint.pk}"

    def change(column):
        body = {"event_time_column": column}
        return client.patch(address, body, JSON, headers={"If-Match": client.get(address)["ETag"]})

    assert named(change("hour")) == ["/event_time_column"]
    assert change("at").status_code == 200
    # Columns may come beside the model's inputs; only its data sets tell which there are.
    assert change("scheduled_at").status_code == 200
    dataset = Dataset.objects.create(name="flights", owner=endpoint.model.owner)
    schema = [{"name": "scheduled_at", "type": "datetime"}, {"name": "distance", "type": "number"}]
    data = DatasetVersion.objects.create(
        dataset=dataset, number=1, status="ready", schema=schema, digest="b" * 64, source_digest="b" * 64
    )
    VersionDataset.objects.create(version=version, dataset_version=data, role="training")
    for column in ("2013-13-45", "distance"):
        refused = change(column)
        assert named(refused) == ["/event_time_column"]
        assert refused.json()["errors"][0]["allowed"] == "at, scheduled_at"
    assert change("scheduled_at").status_code == 200
    assert change("").status_code == 200


def test_labels_of_a_binary_classifier_are_0_or_1(endpoint, operator, token_client):
    live = go_live(endpoint, with_inputs(endpoint.model))
    client = token_client(operator)

    def label(value):
        body = [{"prediction_id": "a", "label": 1}, {"prediction_id": "b", "label": value}]
        return client.post(f"/api/v1/endpoints/{endpoint.pk}/labels", body, JSON)

    Scorer.objects.create(deployment=live, agent="a", kind="probability")
    for value in (7, 1.5, -1):
        refused = label(value)
        assert named(refused) == ["/1/label"]
        assert refused.json()["errors"][0]["allowed"] == "0 or 1, false or true"
    assert not Label.objects.exists()
    assert label(0).status_code == 202
    Scorer.objects.update(kind="prediction")
    assert label(1.5).status_code == 202


def test_a_rule_watches_what_can_be(endpoint, operator, token_client):
    go_live(endpoint, with_inputs(endpoint.model, hour="long"))
    client = token_client(operator)
    rule = {"model": "delays", "environment": "staging", "name": "Drift", "metric": "psi"}
    rule |= {"feature": "hour", "direction": "above", "limit": 0.25}
    made = client.post("/api/v1/alert-rules", rule, JSON)
    assert made.status_code == 201, made.content
    address = f"/api/v1/alert-rules/{made.json()['id']}"

    def change(**fields):
        return client.patch(address, fields, JSON, headers={"If-Match": client.get(address)["ETag"]})

    assert named(change(limit=-1)) == ["/limit"]
    assert named(change(feature="hours")) == ["/feature"]
    assert named(change(metric="missing_share", limit=1.5)) == ["/limit"]
    assert named(change(metric="roc_auc", feature="", limit=72)) == ["/limit"]
    assert named(change(metric="latency_p95_ms", feature="", limit=-0.1)) == ["/limit"]
    assert change(feature="prediction").status_code == 200
    assert change(feature="").json()["sentence"].startswith("PSI of any feature is above")
    assert change(metric="roc_auc", against="shadow", limit=-0.01).status_code == 200
