"""A contract is proposed from data, compared, tried on statistics, kept with a reason, and taken elsewhere."""

import json
from importlib import resources

import jsonschema
import polars
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.models import Event
from core.errors import Invalid
from pipelines import services
from pipelines.compute.profile import profile
from pipelines.contract_changes import changes_between
from pipelines.contracts import parse
from pipelines.foresight import foresee
from pipelines.models import DataContract
from pipelines.odcs.reading import from_standard
from pipelines.odcs.writing import as_standard
from pipelines.proposal import propose
from tests.pipelines.conftest import CONTRACT, parquet, table

API = "/api/v1"
EDIT = "/data/flights/contract/edit/"


def many(rows=400):
    numbers = range(rows)
    return polars.DataFrame(
        {
            "id": [f"f{n}" for n in numbers],
            "hour": [n % 24 for n in numbers],
            "temp": [None if n % 50 == 0 else 20 + n % 37 + 0.5 for n in numbers],
            "delay": [-9999 if n == 7 else n % 90 for n in numbers],
            "origin": [("EWR", "JFK", "LGA")[n % 3] for n in numbers],
            "late": [n % 2 for n in numbers],
        }
    )


def test_a_proposal_holds_for_the_data_it_was_inferred_from_and_doubts_what_looks_like_a_placeholder():
    seen = profile(many())
    proposal = propose(seen, row_counts=[900], key_columns=["id"])
    document = proposal.document
    assert document["rows"] == {"min": 200, "max": 1800}
    assert document["unique"] == [["id"]]
    assert document["columns"]["origin"] == {"type": "string", "allowed": ["EWR", "JFK", "LGA"]}
    assert document["columns"]["late"]["allowed"] == [0, 1]
    temp = document["columns"]["temp"]
    assert (temp["min"], temp["max"], temp["max_null_share"]) == (2.5, 75, 0.031)
    assert document["columns"]["delay"]["min"] == -9999
    assert [(note.column, note.rule) for note in proposal.notes if note.is_doubtful] == [("delay", "range")]
    assert not foresee(parse(document), seen).failures


def test_a_proposal_gives_no_range_to_keys():
    seen = profile(many().with_columns(id=polars.int_range(400), day=polars.int_range(400) // 30))
    columns = propose(seen, key_columns=["day", "origin"]).document["columns"]
    assert (columns["id"], columns["day"]) == ({"type": "integer"}, {"type": "integer"})
    assert columns["origin"]["allowed"] == ["EWR", "JFK", "LGA"]
    assert columns["hour"]["max"] == 35


def test_what_a_check_would_find_is_told_from_statistics_alone():
    contract = parse({**CONTRACT, "rows": {"min": 500}, "extra_columns": "forbid"})
    found = foresee(contract, profile(many())).failures
    assert found == [
        "It has 400 rows.",
        "It has 2 other columns: delay, late.",
    ]
    wrong = many().with_columns(hour=polars.col("hour") + 2, origin=polars.lit("BOS"), id=polars.lit("f"))
    assert foresee(parse(CONTRACT), profile(wrong.drop("temp"))).failures == [
        "hour goes up to 25.",
        "Column temp is missing.",
        "origin holds BOS.",
        "id repeats values.",
    ]


def test_differences_say_whether_more_or_less_is_asked():
    after = {
        **CONTRACT,
        "rows": {"min": 5, "max": 1000},
        "columns": {
            **{name: rules for name, rules in CONTRACT["columns"].items() if name != "temp"},
            "hour": {"type": "integer", "min": 0},
            "origin": {"type": "string", "allowed": ["EWR", "JFK", "LGA", "HPN"]},
            "dest": {"type": "string"},
        },
        "unique": [["id", "hour"]],
    }
    found = {change.path: change.effect for change in changes_between(CONTRACT, after)}
    assert found == {
        "rows.min": "tighter",
        "columns.hour.max": "looser",
        "columns.origin.allowed": "looser",
        "columns.dest": "tighter",
        "columns.temp": "looser",
        "unique": "tighter",
    }
    assert not changes_between(CONTRACT, json.loads(json.dumps(CONTRACT)))


numbers = st.integers(-1000, 1000)
shares = st.integers(0, 10_000).map(lambda each: each / 10_000)
names = st.text("abcdefgh_", min_size=1, max_size=6)
columns = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={"min": numbers, "max": numbers.map(lambda each: each + 2001), "max_null_share": shares},
    ),
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "allowed": st.lists(
                st.text("xyz ,", min_size=1, max_size=4), min_size=1, max_size=5, unique=True
            ),
            "max_null_share": shares,
            "description": st.text("ab c", min_size=1).filter(str.strip),
        },
    ),
    st.fixed_dictionaries({"type": st.just("boolean")}, optional={"allowed": st.just([True])}),
    st.fixed_dictionaries({"type": st.just("datetime")}, optional={"min": st.just("2013-01-01T00:00:00Z")}),
    st.fixed_dictionaries({"type": st.just("date")}, optional={"max": st.just("2013-12-31")}),
)


@st.composite
def contracts(draw):
    table = draw(st.dictionaries(names, columns, min_size=1, max_size=5))
    keys = st.lists(st.sampled_from(sorted(table)), min_size=1, max_size=3, unique=True)
    more = st.fixed_dictionaries(
        {},
        optional={
            "rows": st.sampled_from([{"min": 1}, {"max": 9}, {"min": 3, "max": 3}, {"min": 1, "max": 9}]),
            "unique": st.lists(keys, min_size=1, max_size=2, unique_by=tuple),
            "extra_columns": st.sampled_from(["allow", "forbid"]),
            "description": st.just("What it is."),
        },
    )
    return {"schema": CONTRACT["schema"], "columns": table, **draw(more)}


STANDARD = json.loads(resources.files("open_data_contract_standard").joinpath("schema.json").read_text())
VALIDATOR = jsonschema.Draft201909Validator(STANDARD)


@settings(max_examples=40, deadline=None)
@given(contracts())
def test_a_contract_goes_to_the_open_standard_and_back_unchanged(document):
    told = as_standard(document, identity="1", name="flights", revision=3)
    VALIDATOR.validate(told)
    reading = from_standard(yaml.safe_load(yaml.safe_dump(told)))
    assert parse(reading.document) == parse(document)
    assert reading.left_out == []


FOREIGN = """
apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
team: {name: sales}
slaProperties: [{property: latency, value: 4, unit: d}]
schema:
- name: orders
  properties:
  - {name: id, logicalType: string, primaryKey: true, logicalTypeOptions: {maxLength: 9}}
  - {name: amount, logicalType: integer, logicalTypeOptions: {exclusiveMinimum: 0}, classification: secret}
  - {name: lines, logicalType: array}
  - name: state
    logicalType: string
    enum: [{value: open}, {value: paid}]
    quality:
    - {type: sql, query: select 1, mustBe: 1}
    - {metric: nullValues, mustBeLessThan: 5, unit: rows}
    - {metric: nullValues, mustBeLessOrEqualTo: 2.5, unit: percent, severity: error}
  quality:
  - {rule: rowCount, mustBeGreaterThan: 9}
"""


def test_what_a_contract_cannot_say_is_named_and_not_lost():
    reading = from_standard(yaml.safe_load(FOREIGN))
    assert reading.document == {
        "schema": CONTRACT["schema"],
        "rows": {"min": 10},
        "columns": {
            "id": {"type": "string"},
            "amount": {"type": "integer", "min": 1, "max_null_share": 1.0},
            "state": {"type": "string", "max_null_share": 0.025, "allowed": ["open", "paid"]},
        },
        "unique": [["id"]],
    }
    assert [each["path"] for each in reading.left_out] == [
        "slaProperties",
        "team",
        "schema[0].properties[0].logicalTypeOptions.maxLength",
        "schema[0].properties[1].classification",
        "schema[0].properties[2]",
        "schema[0].properties[3].quality[0]",
        "schema[0].properties[3].quality[1]",
        "schema[0].properties[3].quality[2].severity",
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "Other"}, "kind"),
        ({"apiVersion": "v2.2.2"}, "apiVersion"),
        ({"schema": 5}, "schema"),
        ({"schema": [{"name": "a"}, {"name": "b"}]}, "schema"),
        ({"schema": [{"name": "a", "properties": [5]}]}, "schema[0].properties[0]"),
        ({"schema": [{"name": "a", "properties": []}]}, "columns"),
    ],
)
def test_a_wrong_document_of_the_standard_is_refused_with_its_field(change, field):
    with pytest.raises(Invalid) as refused:
        from_standard({"kind": "DataContract", "apiVersion": "v3.1.0", **change})
    assert field in (refused.value.field, refused.value.message.partition(" ")[0])


@pytest.fixture
def flights(make_dataset, add_version, actor, scientist):
    """A data set with a contract and two versions, the second of which breaks it."""
    dataset = make_dataset()
    services.set_contract(
        actor=actor(scientist), dataset=dataset, document=CONTRACT, reason="What models need."
    )
    add_version(dataset, label="2013-01")
    add_version(dataset, parquet(table(hour=[5, 6, 7, 99])), label="2013-02")
    return dataset


def form(page, **changes):
    """What the page's form would send."""
    editor = page.context["editor"]
    sent = {"revision": editor.keep["revision"].value(), "reason": "", "do": "preview"}
    sent |= {name: editor.table[name].value() or "" for name in editor.table.fields}
    sent |= {
        f"c-{name}": editor.columns.management_form[name].value() for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    for column in editor.columns:
        for name in column.fields:
            value = column[name].value()
            if value not in (None, False, ""):
                sent[f"{column.prefix}-{name}"] = value
    return {**{name: value for name, value in sent.items() if value is not False}, **changes}


@pytest.mark.django_db
def test_a_person_changes_a_rule_sees_what_it_means_and_keeps_it_with_a_reason(
    flights, scientist, client_for
):
    client = client_for(scientist)
    page = client.get(EDIT)
    assert "hour" in page.content.decode()
    sent = form(page, **{"c-1-max": "120", "c-3-DELETE": "on"})
    preview = client.post(EDIT, sent)
    text = preview.content.decode()
    assert "columns.hour.max" in text and "columns.origin" in text and "Asks for less" in text
    assert [each["found"].failures for each in preview.context["foreseen"]] == [[], []]
    assert flights.contracts.count() == 1
    assert client.post(EDIT, {**sent, "do": "keep"}).status_code == 422
    assert client.post(EDIT, {**sent, "do": "keep", "reason": "  "}).status_code == 422
    kept = client.post(EDIT, {**sent, "do": "keep", "reason": "Hours of freight trains."})
    assert kept.status_code == 302
    contract = DataContract.objects.newest_of(flights)
    assert (contract.revision, contract.reason) == (2, "Hours of freight trains.")
    assert contract.document["columns"]["hour"] == {"type": "integer", "min": 0, "max": 120}
    assert contract.document["unique"] == [["id"]] and "origin" not in contract.document["columns"]
    detail = client.get("/data/flights/contract/").content.decode()
    assert "2 changes since revision 1" in detail and "Hours of freight trains." in detail
    assert client.get("/data/flights/contract/?revision=1&status=failed").status_code == 200
    assert client.get("/data/flights/contract/?revision=9").status_code == 404


@pytest.mark.django_db
def test_a_mistake_is_shown_at_its_line_and_nothing_typed_is_lost(flights, scientist, client_for):
    client = client_for(scientist)
    sent = form(client.get(EDIT), **{"c-1-min": "x", "do": "keep", "reason": "r"})
    answer = client.post(EDIT, sent)
    assert answer.status_code == 422
    assert answer.context["editor"].columns.forms[1].errors["min"] == [
        "columns.hour.min must be a finite number."
    ]
    assert client.post(EDIT + "?as=yaml", {"document": "{", "revision": 1}).status_code == 422
    assert client.post(EDIT, {"revision": "x"}).status_code == 422
    assert flights.contracts.count() == 1


@pytest.mark.django_db
def test_two_people_editing_see_each_others_change(flights, scientist, actor, client_for):
    client = client_for(scientist)
    sent = form(client.get(EDIT), **{"c-1-max": "24", "do": "keep", "reason": "Mine."})
    theirs = {**CONTRACT, "rows": {"min": 1}}
    services.set_contract(actor=actor(scientist), dataset=flights, document=theirs, reason="Theirs.")
    answer = client.post(EDIT, sent)
    assert answer.status_code == 412
    assert "rows.min changes from 2 to 1" in answer.content.decode()
    assert answer.context["editor"].columns.forms[1]["max"].value() == "24"
    assert client.post(EDIT, {**sent, "revision": "2"}).status_code == 302
    assert DataContract.objects.newest_of(flights).document["rows"] == {"min": 2, "max": 1000}


@pytest.mark.django_db
def test_a_proposal_and_the_open_standard_by_page_and_rest(flights, scientist, client_for, token_client):
    browser, client = client_for(scientist), token_client(scientist)
    page = browser.get(f"{EDIT}?propose=2")
    assert page.context["editor"].contract.document["columns"]["hour"]["max"] == 99
    assert b"Why these rules" in page.content
    hour = next(row for row in page.context["changed_rules"] if row.subject == "hour")
    assert (hour.before, hour.after) != ("", "") and "99" in hour.after and "99" not in hour.before
    assert hour.before.encode() in page.content and hour.after.encode() in page.content
    told = client.get(f"{API}/datasets/flights/contract/proposal?version=2").json()
    assert told["version"] == 2 and told["document"] == page.context["editor"].contract.document
    assert {change["path"] for change in told["changes"]} >= {"columns.at", "columns.hour.max"}
    exported = client.get(f"{API}/datasets/flights/contract/odcs")
    assert exported["Content-Type"].startswith("application/yaml")
    VALIDATOR.validate(yaml.safe_load(exported.content))
    body = {"document": exported.content.decode(), "dry_run": True}
    json_body = {"content_type": "application/json"}
    dry = client.put(f"{API}/datasets/flights/contract/odcs", body, **json_body).json()
    assert (dry["changes"], dry["left_out"]) == ([], [])
    foreign = {"document": FOREIGN, "reason": "From the catalogue."}
    assert client.put(f"{API}/datasets/flights/contract/odcs", foreign, **json_body).status_code == 428
    etag = {"headers": {"If-Match": client.get(f"{API}/datasets/flights/contract")["ETag"]}}
    kept = client.put(f"{API}/datasets/flights/contract/odcs", foreign, **json_body, **etag)
    assert kept.status_code == 200 and kept.json()["revision"] == 2 and len(kept.json()["left_out"]) == 8
    typed = browser.post(EDIT + "?as=yaml", {"document": FOREIGN, "revision": 2, "do": "preview"})
    assert typed.status_code == 200 and b"cannot be kept" in typed.content
    changes = client.get(f"{API}/datasets/flights/contract/changes?a=1&b=2").json()["changes"]
    assert {"columns.hour", "columns.amount"} <= {each["path"] for each in changes}
    assert [
        each["revision"] for each in client.get(f"{API}/datasets/flights/contract/revisions").json()["items"]
    ] == [2, 1]
    for bad in (
        "proposal?version=x",
        "proposal?version=99",
        "changes?a=1",
        "odcs?revision=9",
        "?revision=-1",
    ):
        answer = client.get(f"{API}/datasets/flights/contract/{bad}")
        assert answer.status_code in (400, 404), bad


@pytest.mark.django_db
def test_a_contract_is_only_for_those_who_may_see_the_data(
    flights, scientist, make_account, stranger, reviewer, actor, client_for, run_jobs
):
    addresses = (
        "/data/flights/contract/",
        EDIT,
        f"{API}/datasets/flights/contract/revisions",
        f"{API}/datasets/flights/contract/proposal",
        f"{API}/datasets/flights/contract/changes?a=1&b=1",
        f"{API}/datasets/flights/contract/odcs",
    )
    for nobody in (stranger, make_account("other", "data-scientist")):
        client = client_for(nobody)
        assert {client.get(path).status_code for path in addresses} == {404}
        assert client.post("/data/flights/versions/1/check/").status_code == 404
        assert client.post(EDIT, {"revision": 1}).status_code == 404
    seeing = client_for(reviewer)
    assert seeing.get("/data/flights/contract/").status_code == 200
    assert seeing.get(EDIT).status_code == 403
    assert seeing.post("/data/flights/versions/1/check/").status_code == 403
    assert Event.objects.filter(fields__action="pipelines.request_check", fields__outcome="denied").exists()
    assert client_for(scientist).post("/data/flights/versions/1/check/").status_code == 302
    assert run_jobs() >= 1


@pytest.mark.django_db
def test_the_contracts_page_asks_as_many_queries_for_twelve_versions_as_for_one(
    flights, scientist, client_for
):
    client = client_for(scientist)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        client.get("/data/flights/contract/")
    for number in range(3, 13):
        digest = f"{number:064d}"
        version = flights.versions.create(
            number=number, status="ready", digest=digest, source_digest=digest, profile={}, rows=4
        )
        version.checks.create(contract=DataContract.objects.newest_of(flights), status="passed")
    with CaptureQueriesContext(connection) as more:
        client.get("/data/flights/contract/")
    assert len(more) == len(few)
