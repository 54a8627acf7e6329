"""Can it be promoted? Data that is withheld, broken or not named is said before anybody asks."""

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.models import ContractCheck, DataContract, Dataset, DatasetVersion
from registry.evaluations.models import Evaluation
from registry.held_out import training_data_behind
from registry.models import ModelVersion, VersionDataset
from registry.readiness import _not_known

pytestmark = pytest.mark.django_db


@pytest.fixture
def answer(client_for, admin, reviewer, validator):
    """``answer(version)``: the word of the strip and the page, where there are people who could sign."""

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
            dataset=dataset, number=1, source_digest="1" * 64,
            **{"status": "ready", "digest": f"{len(role):064d}", **more},
        )  # fmt: skip
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
    assert "No version of a data set that it was trained on is known." in page
    assert "Contract of" not in page
    assert ModelVersion.objects.get().is_ready


def test_what_a_run_says_of_a_hold_out_it_does_not_name_is_no_fact(make_model, make_row, answer):
    said = {"kind": "time_ordered", "test_fraction": 0.2}
    word, page = answer(make_row(make_model("delays"), holdout=said))
    assert (word, "Hold-out was split by time" in page) == ("Not yet", False)
    assert '<p class="v">not named</p><p class="n">its run says split by time' in page


def test_a_version_that_nobody_evaluated_is_not_called_free_of_doubt(make_model, make_row, use, answer):
    run = {"code_commit": "abc", "run_id": "f" * 32, "flavours": {"sklearn": {}}}
    version = make_row(make_model("sure"), holdout={"kind": "time_ordered"}, **run)
    data, training = use("holdout", check="passed"), use("training", check="passed")
    for each, role in ((data, "holdout"), (training, "training")):
        VersionDataset.objects.create(version=version, dataset_version=each, role=role)
    page = answer(version)[1]
    assert "Yes, as far as known" in page and "it was not evaluated yet" in page
    done = {"status": "succeeded", "result_sha256": "c" * 64, "dataset_digest": data.digest}
    Evaluation.objects.create(
        candidate=version, dataset_version=data, candidate_digest=version.digest, **done
    )
    word, page = answer(version)
    assert (word, "nothing known speaks against it" in page) == ("Yes", True)


def test_withheld_data_stands_first(version, use, answer):
    use("holdout", check="passed")
    use("training", status="quarantined", quarantine_reason="Wrong airport.")
    word, page = answer(version)
    assert word == "Not as it is"
    assert "its data is withheld" in page
    assert "flights-training v1" in page


def test_a_broken_contract_is_said_and_a_missing_check_warns(version, use, answer):
    use("holdout", check="passed")
    word, page = answer(version)
    assert (word, "training data" in page) == ("Not yet", True), "a hold-out says nothing of training"
    training = use("training")
    word, page = answer(version)
    assert word == "Not yet"
    assert "Its data was not checked against a contract" in page
    assert "production demands data that was checked" in page
    assert "Not checked: flights-training v1." in page
    assert '<a class="link" href="/data/flights-training/contract/">Contract of flights-training</a>' in page
    contract = DataContract.objects.create(dataset=training.dataset, revision=1, document={}, digest="c" * 64)
    ContractCheck.objects.create(version=training, contract=contract, status="passed", results=[])
    assert answer(version)[0] == "Yes"
    use("reference", check="failed")
    word, page = answer(version)
    assert (word, "its data breaks the contract" in page) == ("Not as it is", True)
    assert "demands data that was checked" not in page, "it was checked, and fails"


def test_data_the_reader_may_not_see_is_not_named(version, use, client_for, stranger, scientist, actor):
    from registry.access.services import grant

    use("holdout", status="quarantined", quarantine_reason="Secret.")
    use("training")
    grant(actor=actor(scientist), model=version.model, account=stranger, right="view", reason="Reads.")
    page = client_for(stranger).get("/models/delays/versions/1/")
    assert page.context["readiness"].word == "Not as it is"
    assert "data you may not see" in page.content.decode()
    assert "flights-holdout" not in page.content.decode()
    assert not any(
        "data" in each.title and "not known" in each.title for each in page.context["readiness"].facts
    )


def test_what_is_not_known_is_one_sentence():
    assert _not_known(["run"]) == "Its run is not known"
    assert _not_known(["data", "run"]) == "Its data and run are not known"
    assert _not_known(["data", "code commit", "run"]) == "Its data, code commit and run are not known"


def test_a_hold_out_that_names_no_label_is_said_before_anybody_asks(version, use, answer):
    data = use("holdout", check="passed", label="")
    use("training", check="passed")
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


def test_columns_that_the_signature_asks_for_are_looked_up_before_anybody_asks(
    version, use, make_row, answer
):
    data = use(
        "holdout", check="passed", schema=[{"name": name, "type": "integer"} for name in ("hour", "late")]
    )
    known = [{"name": "hour", "type": "long"}, {"type": "tensor"}]
    more = [*known, {"name": "zzz", "type": "long", "required": False}]
    fits, lacks = (make_row(version.model, signature={"inputs": inputs}) for inputs in (known, more))
    training = use("training", check="passed")
    for each in (fits, lacks):
        VersionDataset.objects.create(version=each, dataset_version=data, role="holdout")
        VersionDataset.objects.create(version=each, dataset_version=training, role="training")
    assert answer(fits)[0] == "Yes"
    word, page = answer(lacks)
    assert word == "Not yet"
    assert "Its hold-out lacks columns that its signature asks for" in page
    assert "flights-holdout v1 has no column zzz, so an evaluation would fail." in page


def test_a_hold_out_that_was_trained_on_forbids(version, use, make_row, answer):
    data, split = use("holdout", check="passed"), make_row(version.model, holdout={"kind": "random"})
    for role in ("training", "holdout"):
        VersionDataset.objects.create(version=split, dataset_version=data, role=role)
    word, page = answer(split)
    assert word == "Not as it is"
    assert "its hold-out is data it was trained on: flights-holdout v1" in page


def test_the_same_rows_under_another_name_are_the_same(
    version, use, client_for, stranger, scientist, actor, answer
):
    from registry.access.services import grant

    held = use("holdout", check="passed")
    use("training", check="passed", digest=held.digest)
    assert "its hold-out is data it was trained on: flights-training v1" in answer(version)[1]
    grant(actor=actor(scientist), model=version.model, account=stranger, right="view", reason="Reads.")
    page = client_for(stranger).get("/models/delays/versions/1/").content.decode()
    assert "its hold-out is data it was trained on: data you may not see" in page
    assert "flights-training" not in page


def test_a_hold_out_cut_from_the_training_data_must_have_been_left_out(version, use):
    held, source = use("holdout"), use("training")
    assert training_data_behind(version, held) == []
    held.parents.add(source)
    assert training_data_behind(version, held) == [source]
    held.derivation = {"step": "holdout", "kind": "random"}
    assert training_data_behind(version, held) == []
    VersionDataset.objects.filter(dataset_version=held).delete()
    assert training_data_behind(version, held) == [source], "the hold-out of another version was not left out"
    day = datetime(2013, 1, 1, tzinfo=UTC)
    for each, start in ((held, 0), (source, 31)):
        each.event_time_from, each.event_time_to = (day + timedelta(days=start + n) for n in (0, 30))
        each.save()
    assert training_data_behind(version, held) == []


def test_data_made_from_the_hold_out_has_seen_it(version, use):
    held, made = use("holdout"), use("training")
    made.parents.add(held)
    assert training_data_behind(version, held) == [made]


def test_only_the_newest_evaluation_of_these_bytes_speaks(version, use, answer):
    data, _ = use("holdout", check="passed"), use("training", check="passed")
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
