"""A card says what a model is for and where it ends; facts come by themselves, words from people."""

import json
import re
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core.errors import Invalid, NotAllowed, PreconditionFailed
from core.markdown import rendered
from registry import services as registry
from registry.access.services import grant
from registry.cards.models import CardRevision
from registry.cards.sections import is_answered, required_at
from registry.cards.services import revise_card
from tests.registry.test_registering_models import events

pytestmark = pytest.mark.django_db
JSON = "application/json"
PURPOSE = "Tells travellers whether a flight will be late by more than 15 minutes."
FULL = {section.key: f"{section.title} is described in these few words." for section in required_at("medium")}


@pytest.fixture
def model(make_model):
    return make_model("delays")


@pytest.fixture
def write(actor, scientist, model):
    """``write({"purpose": …})``: the scientist keeps a revision."""

    def keep(sections=None, seen=0, **more):
        asked = {"sections": sections or {"purpose": PURPOSE}, "expected_number": seen, **more}
        return revise_card(actor=actor(scientist), model=model, **asked)

    return keep


def test_a_card_is_kept_revision_by_revision_with_who_and_what(model, write, scientist):
    write()
    second = write({"purpose": PURPOSE, "limits": "Weak on days of strikes."}, seen=1, note="Strikes.")
    assert [each.number for each in CardRevision.objects.order_by("number")] == [1, 2]
    said = events("registry.card_revised")[-1]
    assert (said["before"]["revision"], said["after"]["revision"]) == (1, 2)
    assert said["after"]["changed"] == ["limits"]
    assert second.created_by == scientist
    assert write(second.sections, seen=2) == second
    assert CardRevision.objects.count() == 2


def test_missing_data_leads_to_where_the_line_to_copy_is(model, make_version, client_for, scientist):
    make_version(model)
    page = client_for(scientist).get("/models/delays/card/").content.decode()
    assert re.search(r"<dt>Trained on</dt><dd[^>]*>[^<]*line to copy[^<]*<a[^>]*href=\"/data/\"", page)
    assert "how-to" not in page


def test_a_revision_never_changes_not_even_by_hand(write):
    write()
    for change in (lambda rows: rows.update(note="x"), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(CardRevision.objects.all())
    assert CardRevision.objects.get().note == ""


def test_whoever_saw_an_older_revision_is_told(write):
    write()
    with pytest.raises(PreconditionFailed):
        write({"limits": "Mine, without having seen the first."})
    assert CardRevision.objects.count() == 1


def test_only_those_who_register_or_administer_write(model, actor, reviewer):
    with pytest.raises(NotAllowed):
        revise_card(actor=actor(reviewer), model=model, sections={"purpose": PURPOSE}, expected_number=0)
    assert not CardRevision.objects.exists()
    assert events("registry.card_revised") == []


@pytest.mark.parametrize(
    ("sections", "more", "field"),
    [
        ({"colour": "blue"}, {}, "sections"),
        ({}, {}, "sections"),
        ({"purpose": "  "}, {}, "sections"),
        ({"purpose": "a\x00b"}, {}, "sections.purpose"),
        ({"purpose": "\u202eevil"}, {}, "sections.purpose"),
        ({"purpose": "x" * 20_001}, {}, "sections.purpose"),
        ({"purpose": PURPOSE}, {"from_version": 5}, "from_version"),
        ({"purpose": PURPOSE}, {"note": "x" * 501}, "note"),
    ],
)
def test_what_a_card_cannot_hold_is_named(model, actor, scientist, sections, more, field):
    with pytest.raises(Invalid) as refused:
        revise_card(actor=actor(scientist), model=model, sections=sections, expected_number=0, **more)
    assert refused.value.field == field
    assert not CardRevision.objects.exists()


def test_an_older_version_keeps_the_card_it_had(model, make_version, write, token_client, scientist):
    make_version(model)
    make_version(model)
    write()
    write({"purpose": "Now with the weather of the hour."}, seen=1, from_version=2)
    client = token_client(scientist)
    first, second = (client.get(f"/api/v1/models/delays/versions/{n}/card").json() for n in (1, 2))
    assert (first["revision"], first["sections"]["purpose"]) == (1, PURPOSE)
    assert (second["revision"], second["from_version"]) == (2, 2)
    assert client.get("/api/v1/models/delays/card").json() == second


def test_facts_come_by_themselves_and_the_tier_says_what_is_missing(
    model, make_version, make_data, write, token_client, client_for, scientist, operator, actor
):
    data = [{"role": "holdout", "id": str(make_data("2013-03").pk)}]
    tags = {
        "controlplane.dataset_versions": json.dumps(data),
        "controlplane.holdout": '{"kind": "random"}',
    }
    make_version(model, metrics={"roc_auc": 0.678}, tags=tags)
    write(FULL)
    card = token_client(scientist).get("/api/v1/models/delays/versions/1/card").json()
    facts = {each["key"]: each["value"] for each in card["facts"]}
    assert facts["holdout"] == "flights 2013-03, split at random"
    assert facts["metric"] == "ROC AUC 0.6780"
    assert card["completeness"]["missing"] == ["On call", "Trained on"]
    registry.update_model(actor=actor(scientist), model=model, tier="high", on_call=operator.person)
    high = token_client(scientist).get("/api/v1/models/delays/card").json()["completeness"]
    assert "Human oversight" in high["missing"]
    assert "On call" not in high["missing"]
    page = client_for(scientist).get("/models/delays/card/").content.decode()
    assert f"{high['filled']} of {high['asked']}" in page
    assert "Who can overrule or stop it" in page
    assert (
        f"{high['filled']} of {high['asked']}"
        in client_for(scientist).get("/models/delays/").content.decode()
    )


def test_the_first_draft_is_made_of_facts_and_kept_by_a_person(
    model, make_version, make_data, client_for, scientist, actor
):
    registry.update_model(actor=actor(scientist), model=model, description="Late or not?")
    data = [{"role": "training", "id": str(make_data("2013-01").pk)}]
    tags = {
        "controlplane.dataset_versions": json.dumps(data),
        "controlplane.holdout": '{"kind": "random"}',
    }
    make_version(model, tags=tags, metrics={"roc_auc": 0.678})
    client = client_for(scientist)
    page = client.get("/models/delays/card/edit/").content.decode()
    for words in (
        "Late or not?",
        "Training: flights 2013-01, 1,000 rows",
        "ROC AUC 0.6780",
        "flatter a model",
    ):
        assert words in page
    assert not CardRevision.objects.exists()
    form = {"purpose": PURPOSE, "from_version": 1, "revision": 0, "note": "First."}
    answer = client.post("/models/delays/card/edit/", form)
    assert (answer.status_code, answer["Location"]) == (302, "/models/delays/card/?version=1")
    assert CardRevision.objects.get().sections == {"purpose": PURPOSE}
    assert "Drafted from" not in client.get("/models/delays/card/edit/").content.decode()
    wrong = client.post("/models/delays/card/edit/", {**form, "revision": 1, "from_version": 7})
    assert wrong.status_code == 422
    assert "Choose a version that exists." in wrong.content.decode()


def test_a_stale_edit_loses_nothing_and_shows_both(write, client_for, scientist):
    write({"purpose": "Theirs, kept meanwhile."})
    form = {"purpose": "Mine, typed meanwhile.", "from_version": 1, "revision": 0}
    client = client_for(scientist)
    answer = client.post("/models/delays/card/edit/", form)
    page = answer.content.decode()
    assert answer.status_code == 412
    assert "Theirs, kept meanwhile." in page
    assert "Mine, typed meanwhile." in page
    assert client.post("/models/delays/card/edit/", {**form, "revision": 1}).status_code == 302


def test_only_what_differs_is_shown_of_a_conflict(write, client_for, scientist):
    write({"purpose": "One line.\nAnother.", "limits": "Theirs."})
    form = {"purpose": "One line.\r\nAnother.", "limits": "Mine.", "from_version": 1, "revision": 0}
    page = client_for(scientist).post("/models/delays/card/edit/", form).content.decode()
    assert 'id="d-limits"' in page
    assert 'id="d-purpose"' not in page, "browsers send two characters at the end of a line"
    assert "scientist kept revision 1" in page
    same = {**form, "limits": "Theirs."}
    page = client_for(scientist).post("/models/delays/card/edit/", same).content.decode()
    assert "It says the same as theirs." in page


def test_a_revision_shows_what_it_changed(write, client_for, token_client, scientist):
    write({"purpose": "One line.\nAnother line.", "data": "Flights."})
    write({"purpose": "One line.\nA better line.", "data": "Flights."}, seen=1)
    write({"limits": "None that are known, which is unlikely."}, seen=2)
    found = token_client(scientist).get("/api/v1/models/delays/card/revisions/2").json()
    (changed,) = found["differences"]
    assert changed["key"] == "purpose"
    assert {(line["sign"], line["text"]) for line in changed["lines"] if line["sign"] in "+-"} == {
        ("-", "Another line."),
        ("+", "A better line."),
    }
    page = client_for(scientist).get("/models/delays/card/revisions/3/?against=1").content.decode()
    assert "None that are known" in page
    assert "Flights." in page
    for query, status in (("against=9", 404), ("against=x", 400), ("against=0", 400)):
        assert client_for(scientist).get(f"/models/delays/card/revisions/3/?{query}").status_code == status
        assert (
            token_client(scientist).get(f"/api/v1/models/delays/card/revisions/3?{query}").status_code
            == status
        )
    listed = token_client(scientist).get("/api/v1/models/delays/card/revisions?limit=2").json()
    assert [each["revision"] for each in listed["items"]] == [3, 2]
    assert listed["next"]


def test_rest_keeps_a_card_with_the_revision_that_was_read(model, token_client, scientist, reviewer):
    client = token_client(scientist)
    address = "/api/v1/models/delays/card"
    assert client.get(address).json()["revision"] is None
    body = {"sections": {"purpose": PURPOSE}, "note": "First."}
    first = client.put(address, body, JSON)
    assert (first.status_code, first.json()["revision"]) == (201, 1)
    again = {"sections": {"purpose": "Another purpose than before."}}
    assert client.put(address, again, JSON).status_code == 428
    assert client.put(address, again, JSON, headers={"If-Match": '"old"'}).status_code == 412
    second = client.put(address, again, JSON, headers={"If-Match": first["ETag"]})
    assert (second.status_code, second.json()["revision"]) == (200, 2)
    wrong = client.put(address, {"sections": {"purpose": 3}}, JSON, headers={"If-Match": second["ETag"]})
    assert wrong.status_code == 400
    refused = token_client(reviewer).put(address, again, JSON, headers={"If-Match": second["ETag"]})
    assert refused.status_code == 403
    assert CardRevision.objects.count() == 2


def test_a_stranger_finds_no_card(write, token_client, client_for, client, stranger):
    write()
    paths = ("card/", "card/edit/", "card/revisions/1/")
    for path in paths:
        assert client_for(stranger).get(f"/models/delays/{path}").status_code == 404
        assert client.get(f"/models/delays/{path}").status_code == 302
    for path in ("card", "card/revisions", "card/revisions/1", "versions/1/card"):
        assert token_client(stranger).get(f"/api/v1/models/delays/{path}").status_code == 404
    assert token_client(stranger).put("/api/v1/models/delays/card", {"sections": {}}, JSON).status_code == 404


def test_data_one_may_not_see_is_not_a_fact_of_the_card(
    model, make_version, make_data, write, stranger, actor, scientist, token_client
):
    data = [{"role": "training", "id": str(make_data("2013-01").pk)}]
    make_version(model, tags={"controlplane.dataset_versions": json.dumps(data)})
    write()
    grant(actor=actor(scientist), model=model, right="view", account=stranger, reason="To look.")
    card = token_client(stranger).get("/api/v1/models/delays/versions/1/card")
    assert card.status_code == 200
    assert "flights" not in card.content.decode()


def test_a_card_costs_the_same_queries_with_many_revisions(write, client_for, scientist):
    write()
    client = client_for(scientist)
    client.get("/models/delays/card/")
    with CaptureQueriesContext(connection) as few:
        client.get("/models/delays/card/")
    for number in range(1, 9):
        write({"purpose": f"Revision number {number} of the purpose."}, seen=number)
    with CaptureQueriesContext(connection) as many:
        client.get("/models/delays/card/")
    assert len(many) == len(few)


def test_markdown_is_shown_and_nothing_in_it_runs(write, client_for, scientist):
    evil = "<script>window.__x=1</script> [go](javascript:alert(1)) ![p](https://e.org/p.png) <b onclick=x>hi</b>"
    write({"purpose": f"# Heading\n\n**bold** and {evil}\n\n| a | b |\n|--|--|\n| 1 | 2 |"})
    page = client_for(scientist).get("/models/delays/card/").content.decode()
    assert "<h3>Heading</h3>" in page
    assert "<strong>bold</strong>" in page
    assert "<td>1</td>" in page
    for never in ("<script>window", 'href="javascript', "<img", "<b onclick"):
        assert never not in page
    assert rendered("## Two\n\n### Three") == "<h3>Two</h3>\n<h4>Three</h4>\n"


def test_white_space_and_headings_are_no_answer():
    assert not is_answered("# A long heading without any text below")
    assert not is_answered("   \n  short \n ")
    assert is_answered(PURPOSE)


def test_the_card_of_the_how_to_is_kept_as_it_stands_there(make_model, make_version, token_client, scientist):
    make_version(make_model("flight-delay"))
    said = (Path(__file__).parents[2] / "docs/how-to/know-a-version.md").read_text()
    body = re.search(r"-d '(\{.*\})'", said)[1]
    answer = token_client(scientist).put("/api/v1/models/flight-delay/card", body, JSON)
    assert answer.status_code == 201, answer.content
    assert answer.json()["sections"]["limits"] == "Weak in April."
