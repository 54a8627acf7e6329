"""A version names the data, the code and the run it came from, as far as the reader may see them."""

import json

import pytest

from pipelines.models import Dataset, DatasetVersion
from registry import services
from tests.registry.test_registering_models import events

pytestmark = pytest.mark.django_db


@pytest.fixture
def months(scientist):
    """Two ready versions of a data set that the scientist made."""
    from accounts.grants import permission_for
    from pipelines.models import DatasetAccountGrant

    flights = Dataset.objects.create(name="flights", owner=scientist.person)
    DatasetAccountGrant.objects.create(
        user=scientist, permission=permission_for(Dataset, "view"), content_object=flights
    )
    return [
        DatasetVersion.objects.create(
            dataset=flights, number=number, label=f"2013-0{number}", status="ready", digest=str(number) * 64,
            source_digest=str(number) * 64,
        )
        for number in (1, 2)
    ]  # fmt: skip


def tagged(months):
    roles = zip(("training", "holdout"), months, strict=True)
    return {
        "controlplane.dataset_versions": json.dumps(
            [{"role": role, "id": str(each.pk)} for role, each in roles]
        )
    }


def test_a_version_names_its_data(make_model, make_version, months, token_client, scientist):
    version = make_version(make_model("delays"), tags=tagged(months))
    assert version.status == "READY", version.status_message
    lineage = token_client(scientist).get("/api/v1/models/delays/versions/1/lineage").json()
    assert [(each["role"], each["label"]) for each in lineage["datasets"]] == [
        ("training", "2013-01"),
        ("holdout", "2013-02"),
    ]
    assert lineage["run"]["id"] == version.run_id
    assert len(events("registry.version_ready")[0]["after"]["data"]) == 2


def test_inputs_that_mlflow_logged_are_found_by_digest(make_model, make_version, months):
    def logged(name, digest, context):
        tags = [{"key": "mlflow.data.context", "value": context}]
        return {"dataset": {"name": name, "digest": digest, "source": "{}"}, "tags": tags}

    inputs = [logged("flights", "1" * 36, "training"), logged("elsewhere", "abc", "eval")]
    version = make_version(make_model(), inputs=inputs)
    [use] = version.datasets.all()
    assert (use.role, use.dataset_version) == ("training", months[0])


def test_data_that_does_not_exist_or_may_not_be_seen_fails_alike(
    make_model, make_version, make_account, months
):
    other = make_account("other", "data-scientist")
    version = make_version(make_model("theirs", by=other), by=other, tags=tagged(months))
    assert version.status == "FAILED_REGISTRATION"
    assert "no data set version" in version.status_message


def test_data_one_may_not_see_is_left_out_of_the_lineage(
    make_model, make_version, make_account, months, scientist, actor, token_client
):
    from registry.access.services import grant

    model = make_model("delays")
    make_version(model, tags=tagged(months))
    other = make_account("other", "data-scientist")
    grant(actor=actor(scientist), model=model, right="view", account=other, reason="Looks on.")
    assert token_client(other).get("/api/v1/models/delays/versions/1/lineage").json()["datasets"] == []


def test_a_copy_names_the_same_data(make_model, make_version, months, scientist, actor, run_jobs):
    make_version(make_model("delays"), tags=tagged(months))
    copy = services.create_version(
        actor=actor(scientist), model=make_model("copy"), source="models:/delays/1"
    )
    run_jobs()
    assert copy.datasets.count() == 2
