"""Better, worse or the same? And never a difference where the test data differ."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actors import Actor
from pipelines.models import VersionDifference
from registry import services
from registry.access.services import grant
from registry.cards.services import revise_card
from registry.compare.data_sets import data_differences
from registry.compare.signatures import changes_of
from registry.compare.tested import HeldOut, why_not_comparable
from registry.compare.views import OFFERED_DATA
from registry.evaluations.models import Evaluation
from registry.requirements import read_requirements

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/models/delays/compare?a=1&b=2"


def uses(*pairs):
    return {"controlplane.dataset_versions": json.dumps([{"role": r, "id": str(d.pk)} for r, d in pairs])}


def column(name, kind="double", required=True):
    return {"name": name, "type": kind, "required": required}


def judged(low, point, high):
    figures = {"candidate": {"estimate": 0.76}, "champion": {"estimate": 0.70}}
    return {"metrics": {"roc_auc": {**figures, "difference": {"estimate": point, "low": low, "high": high}}}}


@pytest.fixture
def pair(make_model, make_version, make_data, files_with):
    """Two versions tested on the same month, the second with weather and other libraries."""
    january, march = make_data("2013-01"), make_data("2013-03")
    model = make_model("delays")
    held = uses(("training", january), ("holdout", march))
    first = make_version(
        model,
        files=files_with(requirements="scikit-learn==1.8.0\nmlflow==3.17.2\n"),
        metrics={"roc_auc": 0.678},
        params={"max_iter": "200", "features": "schedule"},
        tags={**held, "controlplane.code_commit": "aaaa111"},
    )
    inputs = json.dumps([column("carrier", "string"), column("temp"), column("wind")])
    second = make_version(
        model,
        files=files_with(inputs=inputs, requirements="scikit-learn==1.9.1\nmlflow==3.17.2\nskops==0.16\n"),
        metrics={"roc_auc": 0.760},
        params={"max_iter": "200", "features": "weather"},
        tags={**held, "controlplane.code_commit": "bbbb222"},
    )
    return first, second


def test_rest_tells_every_difference_between_two_versions(pair, token_client, scientist):
    found = token_client(scientist).get(ADDRESS).json()
    assert (found["comparable"], found["refusal"]) == (True, None)
    assert found["metrics"][0]["difference"] == pytest.approx(0.082)
    changes = {line["name"]: line["change"] for line in found["parameters"]}
    assert changes == {"features": "changed", "max_iter": "same"}
    assert {(each["name"], each["change"], each["breaks"]) for each in found["signature"]} == {
        ("wind", "added", True),
        ("temp", "optional to required", True),
    }
    locked = {line["name"]: (line["a"], line["b"], line["change"]) for line in found["requirements"]}
    assert locked["scikit-learn"] == ("1.8.0", "1.9.1", "changed")
    assert locked["skops"] == (None, "0.16", "added")
    assert {line["name"]: line["change"] for line in found["environment"]}["code commit"] == "changed"
    assert all(line["change"] == "same" for line in found["datasets"])


def test_no_difference_is_told_when_the_test_data_differ(
    pair, make_version, make_data, token_client, client_for, scientist
):
    model = pair[0].model
    make_version(model, metrics={"roc_auc": 0.9}, tags=uses(("holdout", make_data("2013-04"))))
    found = token_client(scientist).get("/api/v1/models/delays/compare?a=1&b=3").json()
    assert found["comparable"] is False
    assert "flights 2013-03 and flights 2013-04" in found["refusal"]
    assert [each["difference"] for each in found["metrics"]] == [None]
    page = client_for(scientist).get("/models/delays/compare/?a=1&b=3").content.decode()
    assert "No difference is shown" in page
    assert "flights 2013-03 and flights 2013-04" in page
    assert "+0.222" not in page


def test_no_difference_is_told_when_a_run_does_not_name_its_test_data(
    pair, make_version, token_client, scientist
):
    make_version(pair[0].model, metrics={"roc_auc": 0.9})
    found = token_client(scientist).get("/api/v1/models/delays/compare?a=1&b=3").json()
    assert "not known on which rows" in found["refusal"]


def test_an_evaluation_of_both_gives_the_interval_whichever_way_it_was_asked(
    pair, make_data, token_client, client_for, scientist
):
    first, second = pair
    Evaluation.objects.create(
        candidate=second,
        champion=first,
        dataset_version=make_data("2013-04"),
        candidate_digest=second.digest,
        champion_digest=first.digest,
        dataset_digest="a" * 64,
        status="succeeded",
        result_sha256="b" * 64,
        comparison=judged(0.02, 0.06, 0.10),
        rows=100,
    )
    client = token_client(scientist)
    there = client.get(ADDRESS).json()["evaluation"]["metrics"][0]
    back = client.get("/api/v1/models/delays/compare?a=2&b=1").json()["evaluation"]["metrics"][0]
    assert (there["difference"], there["low"], there["high"], there["verdict"]) == (
        0.06,
        0.02,
        0.10,
        "better",
    )
    assert (back["difference"], back["low"], back["high"], back["verdict"]) == (-0.06, -0.10, -0.02, "worse")
    assert (back["a"], back["b"]) == (0.76, 0.70)
    page = client_for(scientist).get("/models/delays/compare/?a=1&b=2").content.decode()
    assert "+0.0600" in page
    assert "+0.0200 to +0.1000" in page


def test_both_are_scored_on_the_same_rows_from_the_page(
    pair, make_data, client_for, scientist, reviewer, django_capture_on_commit_callbacks
):
    data = make_data("2013-05")
    client = client_for(scientist)
    page = client.get("/models/delays/compare/?a=1&b=2").content.decode()
    assert str(data.pk) in page
    answer = client.post("/models/delays/compare/evaluate/", {"a": 1, "b": 2, "dataset_version": data.pk})
    evaluation = Evaluation.objects.get()
    assert answer["Location"] == evaluation.address
    assert (evaluation.champion, evaluation.candidate, evaluation.dataset_version) == (*pair, data)
    nothing = client.post("/models/delays/compare/evaluate/", {"a": 1, "b": 2, "dataset_version": "x"})
    assert nothing["Location"] == "/models/delays/compare/?a=1&b=2"
    assert "Score both" not in client_for(reviewer).get("/models/delays/compare/?a=1&b=2").content.decode()
    assert (
        client_for(reviewer)
        .post("/models/delays/compare/evaluate/", {"a": 1, "b": 2, "dataset_version": data.pk})
        .status_code
        == 403
    )
    assert Evaluation.objects.count() == 1


def test_what_cannot_be_compared_is_said(pair, make_model, make_version, token_client, client_for, scientist):
    client, pages = token_client(scientist), client_for(scientist)
    for query, status, words in (
        ("a=1&b=1", 400, "same version"),
        ("a=x&b=1", 400, "a must be the number of a version"),
        ("b=2", 400, "a must be"),
        ("a=1&b=99999999999", 400, "b must be"),
        ("a=1&b=9", 404, "no version 9"),
        ("a=1&b=%00", 400, "b must be"),
    ):
        answer = client.get(f"/api/v1/models/delays/compare?{query}")
        assert (answer.status_code, words in answer.json()["detail"]) == (status, True), query
    assert pages.get("/models/delays/compare/?a=x&b=2").status_code == 400
    assert "a must be the number" in pages.get("/models/delays/compare/?a=x&b=2").content.decode()
    make_version(make_model("alone"))
    assert "no two ready versions" in pages.get("/models/alone/compare/").content.decode()
    services.move_protected_alias(
        actor=Actor.system(), model=pair[0].model, alias="champion", version=pair[0]
    )
    assert "delays v2 against v1" in pages.get("/models/delays/compare/").content.decode()


def test_the_cards_that_hold_for_each_are_compared(pair, token_client, client_for, actor, scientist):
    about = {"actor": actor(scientist), "model": pair[0].model}
    revise_card(**about, sections={"data": "The schedule."}, expected_number=0)
    same = token_client(scientist).get(ADDRESS).json()["card"]
    assert same == {"a": 1, "b": 1, "differences": []}
    revise_card(**about, sections={"data": "With the weather."}, expected_number=1, from_version=2)
    found = token_client(scientist).get(ADDRESS).json()["card"]
    assert (found["a"], found["b"], found["differences"][0]["key"]) == (1, 2, "data")
    page = client_for(scientist).get("/models/delays/compare/?a=1&b=2").content.decode()
    assert "With the weather." in page


def test_a_stranger_compares_nothing(pair, token_client, client_for, client, stranger):
    assert client_for(stranger).get("/models/delays/compare/?a=1&b=2").status_code == 404
    assert client_for(stranger).post("/models/delays/compare/evaluate/", {"a": 1, "b": 2}).status_code == 404
    assert token_client(stranger).get(ADDRESS).status_code == 404
    assert client.get("/models/delays/compare/?a=1&b=2").status_code == 302
    assert client.get(ADDRESS).status_code == 401


def test_data_one_may_not_see_is_not_named(
    pair, make_version, make_data, stranger, actor, scientist, token_client
):
    hidden = make_data("2013-04", name="secret-flights")
    make_version(pair[0].model, tags=uses(("holdout", hidden)))
    grant(actor=actor(scientist), model=pair[0].model, right="view", account=stranger, reason="To look.")
    found = token_client(stranger).get("/api/v1/models/delays/compare?a=1&b=3")
    assert found.json()["comparable"] is False
    assert "data that you may not see" in found.json()["refusal"]
    assert "flights" not in found.content.decode()
    assert found.json()["datasets"] == []


def test_the_page_asks_the_same_number_of_queries_for_many_versions(
    pair, make_row, make_data, client_for, scientist
):
    client = client_for(scientist)
    client.get("/models/delays/compare/?a=1&b=2")
    with CaptureQueriesContext(connection) as few:
        client.get("/models/delays/compare/?a=1&b=2")
    for number in range(12):
        make_row(pair[0].model)
        make_data(f"2014-{number}")
    with CaptureQueriesContext(connection) as many:
        client.get("/models/delays/compare/?a=1&b=2")
    assert len(many) == len(few)
    assert OFFERED_DATA >= 12


@pytest.mark.parametrize(
    ("before", "after", "change", "breaks"),
    [
        ([], [column("x")], "added", True),
        ([], [column("x", required=False)], "added", False),
        ([column("x")], [], "removed", False),
        ([column("x")], [column("x", "long")], "type changed", True),
        ([column("x", required=False)], [column("x")], "optional to required", True),
        ([{"name": "x", "type": "double"}], [column("x", required=False)], "required to optional", False),
    ],
)
def test_a_change_of_the_input_says_whether_clients_must_change(before, after, change, breaks):
    (found,) = changes_of({"inputs": before}, {"inputs": after})
    assert (found.change, found.breaks) == (change, breaks)


def test_a_removed_output_breaks_whoever_reads_it():
    (found,) = changes_of({"outputs": [column("score")]}, {"outputs": []})
    assert (found.change, found.breaks) == ("removed", True)
    assert changes_of({"inputs": [column("x")]}, {"inputs": [column("x")]}) == []
    assert changes_of(None, None) == []
    assert changes_of({"inputs": [column("x")], "outputs": [column("y")]}, None) == [], "nothing was promised"


def test_a_change_inside_a_nested_type_is_a_change():
    def nested(kind, required=True):
        inner = {"type": "object", "properties": {"age": {"type": kind, "required": required}}}
        return {"inputs": [{"name": "people", "type": "array", "items": inner, "required": True}]}

    assert changes_of(nested("long"), nested("long")) == []
    (found,) = changes_of(nested("long"), nested("double"))
    assert (found.a, found.b) == ("array of object {age: long}", "array of object {age: double}")
    (found,) = changes_of(nested("long"), nested("long", required=False))
    assert found.change == "type changed"


@pytest.mark.parametrize(
    "odd", [5, "text", {"a": 1}, [5], [None], [{"name": 3}], [{"type": "tensor", "tensor-spec": 1}]]
)
def test_a_signature_that_nobody_can_read_is_shown_and_breaks_no_page(
    odd, make_model, make_version, client_for, files_with, scientist
):
    model = make_model("delays")
    for inputs in (json.dumps(odd), "[]"):
        make_version(model, files=files_with(inputs=inputs))
    client = client_for(scientist)
    for path in ("versions/1/", "compare/?a=1&b=2"):
        assert client.get(f"/models/delays/{path}").status_code == 200


def test_requirements_are_read_as_pip_writes_them():
    read = read_requirements(
        "# comment\nScikit_Learn==1.9.1 \\\n  --hash=sha256:aa\nnumpy>=2\npandas==3.* ; python_version > '3'\n"
        "-r other.txt\ngit+https://example.org/x.git\nmlflow[extras]==3.17.2  # why\n"
    )
    assert {name: each.version for name, each in read.known.items()} == {
        "scikit-learn": "1.9.1",
        "numpy": "",
        "pandas": "",
        "mlflow": "3.17.2",
    }
    assert read.unreadable == ["-r other.txt", "git+https://example.org/x.git"]
    assert not read.are_all_pinned


def test_the_page_tells_data_set_by_data_set_what_each_was_made_from(
    make_model, make_version, make_data, client_for, scientist
):
    months = [make_data(f"2013-0{number}") for number in (1, 2, 3)]
    hold_out = make_data("spring", name="held-out")
    model = make_model("delays")
    first, second = (
        make_version(
            model, tags=uses(("holdout", hold_out), *(("training", each) for each in months[:count]))
        )
        for count in (1, 3)
    )
    VersionDifference.objects.create(
        before=months[0],
        after=months[2],
        status="ready",
        columns=[{"name": "temp", "psi": 0.49, "level": "alert"}, {"name": "hour", "psi": 0, "level": "ok"}],
    )
    training, held = data_differences(*(list(each.datasets.all()) for each in (first, second)))
    assert (training.name, training.a.words, training.b.words) == (
        "flights",
        "2013-01",
        "3 versions, 2013-01 to 2013-03",
    )
    assert training.rows == 5000
    assert training.address == "/data/flights/compare/?a=1&b=3"
    assert [each["name"] for each in training.moved] == ["temp"]
    assert (held.name, held.is_same, held.ends) == ("held-out", True, None)
    page = client_for(scientist).get("/models/delays/compare/?a=1&b=2").content.decode()
    assert "3 versions, 2013-01 to 2013-03" in page
    assert "temp 0.49" in page


def test_all_of_the_data_and_a_part_of_it_are_not_the_same_rows():
    digests = frozenset({"a" * 64})
    part, named = HeldOut(digests, ("0.2", "", "7"), "a part of rows v1"), HeldOut(digests, (), "rows v1")
    for one, other in ((part, named), (named, part)):
        said = why_not_comparable(one, other)
        assert (
            said
            == f"One was tested on all of the data, the other on a part of it: {one.words} and {other.words}."
        )
