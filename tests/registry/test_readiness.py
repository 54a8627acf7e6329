"""Can it be promoted? Data that is withheld, broken or not named is said before anybody asks."""

import pytest

from pipelines.models import ContractCheck, DataContract, Dataset, DatasetVersion
from registry.evaluations.models import Evaluation
from registry.models import ModelVersion, VersionDataset
from registry.readiness import _not_known

pytestmark = pytest.mark.django_db


@pytest.fixture
def answer(client_for, admin):
    """``answer(version)``: the word of the strip and the page."""

    def ask(version):
        page = client_for(admin).get(f"/models/{version.model.name}/versions/{version.number}/")
        return page.context["readiness"].word, page.content.decode()

    return ask


@pytest.fixture
def version(make_model, make_row):
    return make_row(make_model("delays"))


@pytest.fixture
def use(version, scientist):
    """``use("training", status=…)``: a data set version behind the version."""

    def make(role, check=None, label="late", **more):
        dataset = Dataset.objects.create(name=f"flights-{role}", owner=scientist.person, label_column=label)
        data = DatasetVersion.objects.create(
            dataset=dataset, number=1, digest="1" * 64, source_digest="1" * 64, **{"status": "ready", **more}
        )
        VersionDataset.objects.create(version=version, dataset_version=data, role=role)
        if check:
            contract = DataContract.objects.create(dataset=dataset, revision=1, document={}, digest="c" * 64)
            ContractCheck.objects.create(version=data, contract=contract, status=check, results=[])
        return data

    return make


def test_a_version_without_hold_out_is_not_called_ready(version, answer):
    word, page = answer(version)
    assert word == "Not yet"
    assert "It cannot be evaluated: no hold-out is named" in page
    assert ModelVersion.objects.get().is_ready


def test_withheld_data_stands_first(version, use, answer):
    use("holdout", check="passed")
    use("training", status="quarantined", quarantine_reason="Wrong airport.")
    word, page = answer(version)
    assert word == "Not as it is"
    assert "its data is withheld" in page
    assert "flights-training v1" in page


def test_a_broken_contract_is_said_and_a_missing_check_warns(version, use, answer):
    use("holdout", check="passed")
    assert answer(version)[0] == "Yes"
    training = use("training")
    word, page = answer(version)
    assert word == "Not yet"
    assert "Its data was not checked against a contract" in page
    assert "production demands data that was checked" in page
    contract = DataContract.objects.create(dataset=training.dataset, revision=1, document={}, digest="c" * 64)
    ContractCheck.objects.create(version=training, contract=contract, status="passed", results=[])
    assert answer(version)[0] == "Yes"
    use("reference", check="failed")
    word, page = answer(version)
    assert (word, "its data breaks the contract" in page) == ("Not as it is", True)


def test_data_the_reader_may_not_see_is_not_named(version, use, client_for, stranger, scientist, actor):
    from registry.access.services import grant

    use("holdout", status="quarantined", quarantine_reason="Secret.")
    grant(actor=actor(scientist), model=version.model, account=stranger, right="view", reason="Reads.")
    page = client_for(stranger).get("/models/delays/versions/1/")
    assert page.context["readiness"].word == "Not as it is"
    assert "data you may not see" in page.content.decode()
    assert "flights-holdout" not in page.content.decode()


def test_what_is_not_known_is_one_sentence():
    assert _not_known(["run"]) == "Its run is not known"
    assert _not_known(["data", "run"]) == "Its data and run are not known"
    assert _not_known(["data", "code commit", "run"]) == "Its data, code commit and run are not known"


def test_a_hold_out_that_names_no_label_is_said_before_anybody_asks(version, use, answer):
    data = use("holdout", check="passed", label="")
    word, page = answer(version)
    assert word == "Not yet"
    assert "its hold-out names no label column" in page
    assert '<a class="link" href="/data/flights-holdout/edit/">Name it</a>' in page
    Dataset.objects.filter(pk=data.dataset_id).update(label_column="late")
    assert answer(version)[0] == "Yes"


def test_a_hold_out_without_its_label_column_is_said_too(version, use, answer):
    use("holdout", check="passed", schema=[{"name": "hour", "type": "integer"}])
    word, page = answer(version)
    assert (word, "Its hold-out lacks the label column" in page) == ("Not yet", True)


def test_only_the_newest_evaluation_of_these_bytes_speaks(version, use, answer):
    data = use("holdout", check="passed")
    asked = {"candidate": version, "dataset_version": data, "dataset_digest": data.digest}
    failed = {"status": "failed", "failure": "No sandbox."}
    Evaluation.objects.create(**asked, candidate_digest="b" * 64, **failed)
    assert answer(version)[0] == "Yes"
    evaluation = Evaluation.objects.create(**asked, candidate_digest=version.digest, **failed)
    word, page = answer(version)
    assert (word, "No sandbox." in page, evaluation.address in page) == ("Not yet", True, True)
    done = {"status": "succeeded", "result_sha256": "c" * 64}
    Evaluation.objects.create(**asked, candidate_digest=version.digest, **done)
    assert answer(version)[0] == "Yes"


def test_a_run_that_broke_off_is_a_warning(make_model, make_row, answer):
    word, page = answer(make_row(make_model("boom"), run={"id": "f" * 32, "status": "FAILED"}))
    assert word == "Not yet"
    assert "Its run failed" in page
