"""A contract says what a data set promises; what breaks it stops what depends on it."""

import pytest

from audit.models import Event
from core.errors import Conflict, Invalid, NotAllowed, PreconditionFailed
from core.jobs.models import Job
from pipelines import services
from pipelines.contracts import parse
from pipelines.models import ContractCheck, PipelineRun
from tests.pipelines.conftest import CONTRACT, parquet, table

pytestmark = pytest.mark.django_db


def changed(**column_rules):
    return {**CONTRACT, "columns": {**CONTRACT["columns"], **column_rules}}


def test_every_rule_is_looked_at_and_says_what_was_observed(make_dataset, add_version, actor, scientist):
    dataset = make_dataset()
    services.set_contract(actor=actor(scientist), dataset=dataset, document=CONTRACT, reason="First.")
    check = ContractCheck.objects.last_of(add_version(dataset))
    assert check.has_passed
    found = {(each["rule"], each["column"]): each for each in check.results}
    assert found["volume", ""]["observed"] == 4
    assert found["nulls", "temp"]["observed"] == 0.25
    assert found["range", "hour"]["observed"] == [5, 23]
    assert found["unique", "id"]["status"] == "passed"
    assert all(each["sentence"] for each in check.results)


@pytest.mark.parametrize(
    ("column", "values", "sentence"),
    [
        ("hour", [5, 6, 7, 24], "hour goes from 5 to 24; 0 to 23 is promised, and 1 rows are outside."),
        ("hour", ["5", "6", "7", "x"], "hour is string, not integer."),
        (
            "temp",
            [None, None, 1.0, 2.0],
            "temp is missing in 2 of 4 rows (50.00%); at most 0.3 missing is promised.",
        ),
        (
            "origin",
            ["EWR", "BOS", "BOS", "LGA"],
            "origin holds BOS in 2 rows, not among its 3 allowed values.",
        ),
        ("id", ["a", "a", "b", "c"], "id: 1 rows repeat a value that must occur once."),
        ("id", ["a", None, "b", "c"], "id is missing in 1 of 4 rows (25.00%); no value missing is promised."),
    ],
)
def test_a_broken_rule_fails_the_check_with_its_sentence(
    make_dataset, add_version, actor, scientist, column, values, sentence
):
    dataset = make_dataset()
    services.set_contract(actor=actor(scientist), dataset=dataset, document=CONTRACT)
    version = add_version(dataset, parquet(table(**{column: values})))
    assert version.status == "ready", version.failure
    check = ContractCheck.objects.last_of(version)
    assert [each["sentence"] for each in check.failures] == [sentence]
    with pytest.raises(Conflict, match="breaks its contract"):
        services.require_valid(version)
    event = Event.objects.get(fields__action="pipelines.contract_checked")
    assert event.fields["outcome"] == "failed"


def test_missing_columns_too_few_rows_and_strangers_among_columns_fail(
    make_dataset, add_version, actor, scientist
):
    dataset = make_dataset()
    document = {**CONTRACT, "rows": {"min": 5}, "extra_columns": "forbid"}
    services.set_contract(actor=actor(scientist), dataset=dataset, document=document)
    check = ContractCheck.objects.last_of(add_version(dataset, parquet(table().drop("temp"))))
    assert [each["rule"] for each in check.failures] == ["volume", "extra_columns", "present"]


def test_times_are_compared_as_moments(make_dataset, add_version, actor, scientist):
    dataset = make_dataset()
    early = changed(
        at={"type": "datetime", "min": "2013-01-01T05:00:00-05:00", "max": "2013-01-02T00:00:00Z"}
    )
    services.set_contract(actor=actor(scientist), dataset=dataset, document=early)
    (failure,) = ContractCheck.objects.last_of(add_version(dataset)).failures
    assert (failure["column"], failure["rows"]) == ("at", 2)


def test_a_new_revision_is_checked_on_every_version_and_only_it_counts(
    make_dataset, add_version, actor, scientist, run_jobs
):
    dataset, mine = make_dataset(), actor(scientist)
    version = add_version(dataset)
    services.require_valid(version)  # without a contract nothing is promised
    services.set_contract(actor=mine, dataset=dataset, document=CONTRACT)
    with pytest.raises(Conflict, match="has not been checked"):
        services.require_valid(version)
    run_jobs()
    services.require_valid(version)
    strict = changed(temp={"type": "number"})
    services.set_contract(actor=mine, dataset=dataset, document=strict, expected_revision=1)
    run_jobs()
    with pytest.raises(Conflict, match="temp is missing"):
        services.require_valid(version)
    assert ContractCheck.objects.count() == 2
    with pytest.raises(PreconditionFailed):
        services.set_contract(actor=mine, dataset=dataset, document=CONTRACT, expected_revision=1)


def test_the_same_document_again_is_no_new_revision(make_dataset, actor, scientist):
    dataset = make_dataset()
    first = services.set_contract(actor=actor(scientist), dataset=dataset, document=CONTRACT)
    assert services.set_contract(actor=actor(scientist), dataset=dataset, document=dict(CONTRACT)) == first


def test_a_failing_contract_refuses_training_with_the_rules_sentence(
    make_dataset, add_version, actor, scientist, training
):
    dataset = make_dataset()
    services.set_contract(actor=actor(scientist), dataset=dataset, document=CONTRACT)
    add_version(dataset, parquet(table(hour=[5, 6, 7, 99])), label="2013-01")
    with pytest.raises(Conflict) as refused:
        services.start_run(actor=actor(scientist), pipeline=training, parameters={"versions": ["2013-01"]})
    assert refused.value.code == "contract_failed"
    assert "hour goes from 5 to 99; 0 to 23 is promised" in str(refused.value)
    assert not PipelineRun.objects.exists()
    assert not Job.objects.filter(kind="pipelines.run").exists()
    assert Event.objects.filter(fields__action="pipelines.start_run", fields__outcome="denied").count() == 1


def test_only_who_administers_sets_the_contract(make_dataset, actor, scientist, make_account, reviewer):
    dataset, other = make_dataset(), make_account("other", "data-scientist")
    services.grant(actor=actor(scientist), dataset=dataset, right="register", reason="Team.", account=other)
    for nobody in (other, reviewer):
        with pytest.raises(NotAllowed):
            services.set_contract(actor=actor(nobody), dataset=dataset, document=CONTRACT)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ("{", "contract"),
        ("[1]", "contract"),
        ("a: &a [1]\nb: *a", "contract"),
        ("schema: controlplane/contract/v1\nschema: x", "schema"),
        ({"schema": "v2"}, "schema"),
        ({"schema": CONTRACT["schema"]}, "columns"),
        ({**CONTRACT, "colums": {}}, "colums"),
        ({**CONTRACT, "columns": []}, "columns"),
        ({**CONTRACT, "rows": {"min": -1}}, "rows.min"),
        ({**CONTRACT, "rows": {"min": True}}, "rows.min"),
        ({**CONTRACT, "rows": {"min": 9, "max": 1}}, "rows.min"),
        ({**CONTRACT, "unique": [["nope"]]}, "unique[0]"),
        ({**CONTRACT, "unique": "id"}, "unique"),
        ({**CONTRACT, "extra_columns": "maybe"}, "extra_columns"),
        (changed(hour={"type": "int"}), "columns.hour.type"),
        (changed(hour={"type": "integer", "min": 5, "max": 1}), "columns.hour.min"),
        (changed(hour={"type": "integer", "min": "x"}), "columns.hour.min"),
        (changed(hour={"type": "integer", "mim": 1}), "columns.hour.mim"),
        (changed(hour={"type": "integer", "allowed": []}), "columns.hour.allowed"),
        (changed(hour={"type": "integer", "allowed": [1, "2"]}), "columns.hour.allowed[1]"),
        (changed(hour={"type": "integer", "max_null_share": 2}), "columns.hour.max_null_share"),
        (changed(origin={"type": "string", "max": 3}), "columns.origin.max"),
        (changed(at={"type": "datetime", "min": "2013-01-01"}), "columns.at.min"),
        (changed(temp={"type": "number", "min": float("nan")}), "contract.columns.temp.min"),
        (changed(temp={"type": "number", "description": "\ud800"}), "contract.columns.temp.description"),
        ("x" * 600_000, "contract"),
    ],
)
def test_a_wrong_document_is_refused_with_the_field_at_fault(document, field):
    with pytest.raises(Invalid) as refused:
        parse(document)
    assert refused.value.field == field
