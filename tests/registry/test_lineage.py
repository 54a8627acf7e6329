"""A version names the data, the code and the run it came from, as far as the reader may see them."""

import json

import pytest
from django.db import DatabaseError, transaction

from pipelines.models import Dataset, DatasetVersion
from registry import services
from registry.access.services import grant
from registry.evaluations.models import Evaluation
from registry.graph import graph_of
from registry.models import ModelVersion, VersionDataset
from registry.readiness import untraced_inputs
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


def numbered(months):
    roles = zip(("training", "holdout"), months, strict=True)
    entries = [{"role": role, "dataset": "flights", "version": each.number} for role, each in roles]
    return {"controlplane.dataset_versions": json.dumps(entries)}


def tagged(months):
    roles = zip(("training", "holdout"), months, strict=True)
    return {
        "controlplane.dataset_versions": json.dumps(
            [{"role": role, "id": str(each.pk)} for role, each in roles]
        )
    }


@pytest.mark.parametrize("named_by", ["id", "number"])
def test_a_version_names_its_data(make_model, make_version, months, token_client, scientist, named_by):
    tags = tagged(months) if named_by == "id" else numbered(months)
    version = make_version(make_model("delays"), tags=tags)
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
    assert untraced_inputs(version, {use.dataset_version.dataset.name}) == [
        {"name": "elsewhere", "digest": "abc", "context": "eval"}
    ]


def test_data_that_is_only_named_is_not_called_unknown(make_model, make_version, client_for, scientist):
    dataset = {"name": "tumours", "digest": "3fa2", "source": "{}"}
    make_version(make_model("tumour"), inputs=[{"dataset": dataset, "tags": []}])
    page = client_for(scientist).get("/models/tumour/versions/1/").content.decode()
    assert "logged by the run, traced to no data set" in page
    assert "Its data is named, but traced to no data set" in page
    assert "Its code commit is not known" in page
    versions = client_for(scientist).get("/models/tumour/").content.decode()
    assert "tumours<small>logged by the run, traced to no data set</small>" in versions


def test_data_that_does_not_exist_or_may_not_be_seen_fails_alike(
    make_model, make_version, make_account, months
):
    other = make_account("other", "data-scientist")
    model = make_model("theirs", by=other)
    version = make_version(model, by=other, tags=tagged(months))
    assert version.status == "FAILED_REGISTRATION"
    assert "no data set version" in version.status_message
    hidden = make_version(model, by=other, tags=numbered(months))
    DatasetVersion.objects.all().delete()
    missing = make_version(model, by=other, tags=numbered(months))
    assert hidden.status == missing.status == "FAILED_REGISTRATION"
    assert "flights v1, which is no data set version" in hidden.status_message
    assert missing.status_message == hidden.status_message


def test_data_one_may_not_see_is_left_out_of_the_lineage(
    make_model, make_version, make_account, months, scientist, actor, token_client, client_for
):
    from registry.access.services import grant

    model = make_model("delays")
    make_version(model, tags=tagged(months))
    other = make_account("other", "data-scientist")
    grant(actor=actor(scientist), model=model, right="view", account=other, reason="Looks on.")
    assert token_client(other).get("/api/v1/models/delays/versions/1/lineage").json()["datasets"] == []
    page = client_for(other).get("/models/delays/").content.decode()
    assert "data you may not see" in page
    assert "flights" not in page
    assert "flights" in client_for(scientist).get("/models/delays/").content.decode()


def test_a_copy_names_the_same_data(make_model, make_version, months, scientist, actor, run_jobs):
    make_version(make_model("delays"), tags=tagged(months))
    copy = services.create_version(
        actor=actor(scientist), model=make_model("copy"), source="models:/delays/1"
    )
    run_jobs()
    assert copy.datasets.count() == 2


def test_a_copy_names_the_version_it_was_made_from(
    make_model, make_version, scientist, actor, run_jobs, token_client, client_for
):
    origin = make_version(make_model("delays"))
    copy = services.create_version(
        actor=actor(scientist), model=make_model("copy"), source="models:/delays/1"
    )
    run_jobs()
    copy.refresh_from_db()
    assert copy.parent == origin
    client = token_client(scientist)
    below = client.get("/api/v1/models/copy/versions/1/lineage").json()
    assert below["parent"] == {"model": "delays", "version": 1}
    above = client.get("/api/v1/models/delays/versions/1/lineage").json()
    assert above["children"] == [{"model": "copy", "version": 1}]
    page = client_for(scientist).get("/models/copy/versions/1/").content.decode()
    assert "Made from" in page
    assert '<a href="/models/delays/versions/1/">' in page
    with pytest.raises(DatabaseError), transaction.atomic():
        ModelVersion.objects.filter(pk=copy.pk).update(parent=None)


@pytest.mark.parametrize("said", ["1", "v1", "models:/delays/1"])
def test_a_run_names_the_version_it_went_on_from(make_model, make_version, said):
    model = make_model("delays")
    first = make_version(model)
    second = make_version(model, tags={"controlplane.parent_version": said})
    assert second.parent == first


@pytest.mark.parametrize(
    "said", ["9", "0", "2", "models:/theirs/1", "models:/nothing/1", "x", "models:/a@b/1"]
)
def test_a_parent_that_is_not_there_or_not_to_be_seen_fails_alike(
    make_model, make_version, make_account, said
):
    other = make_account("other", "data-scientist")
    make_version(make_model("theirs", by=other), by=other)
    model = make_model("delays")
    make_version(model)
    version = make_version(model, tags={"controlplane.parent_version": said})
    assert version.status == "FAILED_REGISTRATION"
    assert f"names {said!r}, which is no ready version" in version.status_message


def test_a_parent_one_may_not_see_is_left_out(
    make_model, make_version, make_account, scientist, actor, run_jobs, token_client, client_for
):
    make_version(make_model("secret"))
    copy = make_model("copy")
    services.create_version(actor=actor(scientist), model=copy, source="models:/secret/1")
    run_jobs()
    viewer = make_account("viewer")
    grant(actor=actor(scientist), model=copy, right="view", account=viewer, reason="Looks on.")
    lineage = token_client(viewer).get("/api/v1/models/copy/versions/1/lineage").json()
    assert lineage["parent"] is None
    assert "Made from" not in client_for(viewer).get("/models/copy/versions/1/").content.decode()


def test_the_graph_leads_from_data_to_what_became_of_the_version(
    make_model, make_version, months, scientist, actor, client_for
):
    model = make_model("delays")
    first = make_version(model, tags={**tagged(months), "controlplane.code_commit": "4be07d2"})
    second = make_version(model, tags={"controlplane.parent_version": "1"})
    evaluation = Evaluation.objects.create(
        candidate=second,
        champion=first,
        dataset_version=months[1],
        candidate_digest=second.digest,
        champion_digest=first.digest,
        dataset_digest=months[1].digest,
        status="succeeded",
        result_sha256="b" * 64,
    )
    graph = graph_of(actor(scientist), first)
    kinds = {node.title: (node.kind, node.column) for node in graph.nodes}
    assert kinds["flights 2013-01"] == ("Data", 0)
    assert kinds["4be07d2"] == ("Code", 0)
    assert kinds["against v2"] == ("Evaluation", 3)
    assert kinds["delays v2"] == ("Version", 3)
    assert all(
        node.x + node.width <= graph.width and node.y + node.height <= graph.height for node in graph.nodes
    )
    (current,) = [node for node in graph.nodes if node.is_current]
    assert [node.kind for node in current.before] == ["Run"]
    assert len({(node.x, node.y) for node in graph.nodes}) == len(graph.nodes)
    page = client_for(scientist).get("/models/delays/versions/1/").content.decode()
    assert f'<a href="{evaluation.address}">' in page
    assert page.count('class="arrow"') == len(graph.arrows)


def test_facts_that_name_hidden_data_are_told_to_who_may_see_it(
    make_model, make_row, months, scientist, stranger, actor, token_client, client_for
):
    Dataset.objects.update(name="secret-rows")
    data = DatasetVersion.objects.get(pk=months[0].pk)
    model = make_model("delays")
    version = make_row(
        model,
        holdout={"kind": "time_ordered", "dataset": data.dataset.name, "label_column": "secret_column"},
        run={
            "id": "r1",
            "inputs": [{"name": data.dataset.name, "digest": data.digest, "context": "training"}],
        },
    )
    VersionDataset.objects.create(version=version, dataset_version=data, role="training")
    grant(actor=actor(scientist), model=model, right="view", account=stranger, reason="Looks on.")

    def told(account):
        rest = [
            token_client(account).get(f"/api/v1/models/delays/versions/1{each}").content.decode()
            for each in ("", "/lineage")
        ]
        return "".join([*rest, client_for(account).get("/models/delays/versions/1/").content.decode()])

    assert data.dataset.name in told(scientist) and "secret_column" in told(scientist)
    everything = told(stranger)
    assert "time_ordered" in everything
    for each in (data.dataset.name, data.digest, "secret_column"):
        assert each not in everything, everything[everything.index(each) - 200 :][:300]
