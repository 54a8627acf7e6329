"""The palette and the page of results: what one may see, and where one may go."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from approvals.models import PolicyRevision, PromotionRequest
from core.actors import Actor
from deployments.models import Environment
from pipelines.models import Dataset
from registry.access.services import grant
from registry.models import ModelVersion, RegisteredModel
from tests.registry.conftest import make_model, make_prompt, make_row, tracking  # noqa: F401 - fixtures
from workspace.saved_views.services import save_view
from workspace.search import results
from workspace.wanted import wanted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tracking")]


@pytest.fixture
def found(actor):
    """``found(account, "words")``: the groups as ``{"Models": ["flight-delay"], ...}``."""

    def ask(account, words):
        return {
            group["name"]: [each["word"] for each in group["lines"]]
            for group in results(actor(account), words)
        }

    return ask


@pytest.fixture
def delay(make_model, make_row):
    model = make_model("flight-delay")
    for _ in range(3):
        make_row(model)
    Dataset.objects.create(name="flights")
    return model


@pytest.fixture
def make_request(scientist):
    """``make_request(version)``: a promotion request to production, as a row alone."""

    def make(version):
        return PromotionRequest.objects.create(
            version=version, environment=Environment.objects.get(name="production"), digest=version.digest,
            policy_revision=PolicyRevision.objects.first(), requested_by=scientist, why="Better.",
            expires_at=Now() + timedelta(days=7),
        )  # fmt: skip

    return make


@pytest.mark.parametrize(
    ("typed", "name", "number"),
    [
        ("flight-delay v3", "flight-delay", 3),
        ("flight-delay/V3", "flight-delay", 3),
        ("flight-delay version 12", "flight-delay", 12),
        ("  flight  delay   3 ", "flight delay", 3),
        ("v3", "", 3),
        ("flight-delay", "flight-delay", None),
        ("model-v3", "model-v3", None),
        ("flight-delay v0", "flight-delay v0", None),
        ("flight-delay v12345678901", "flight-delay v12345678901", None),
    ],
)
def test_a_number_names_a_version(typed, name, number):
    asked = wanted(typed)
    assert (asked.name, asked.number) == (name, number)


def test_each_kind_is_found(delay, found, admin):
    assert found(admin, "flight-delay v2")["Versions"] == ["flight-delay v2"]
    assert found(admin, "flight-delay v2")["Models"] == ["flight-delay"]
    assert "Versions" not in found(admin, "flight-delay v9")
    assert "Versions" not in found(admin, "flight-delay")
    assert found(admin, "FLIGHTS") == {"Data sets": ["flights"]}
    assert found(admin, "adm")["People"] == ["admin"]
    assert found(admin, "incid") == {"Pages": ["Incidents"]}


def test_every_line_leads_to_a_page(delay, admin, scientist, client_for, make_request):
    make_request(delay.versions.get(number=3))
    for reader, typed in (
        (scientist, ("flight", "v2", "promote flight v2", "edit fl", "delete fl", "create a d")),
        (admin, ("adm", "flights", "token", "audit")),
    ):
        browser, addresses = client_for(reader), set()
        for words in typed:
            page = browser.get("/search/", {"q": words}).content.decode()
            lines = re.findall(r'<li><a href="([^"]+)"', page.split("<main")[1])
            assert lines, words
            addresses |= set(lines)
        for address in addresses - {"/runs/"}:  # asks MLflow's server, which tests of runs start
            assert browser.get(address).status_code == 200, address


def test_versions_are_found_by_the_run_they_were_made_from(delay, found, admin, stranger):
    run = "0a" * 16
    ModelVersion.objects.create(model=delay, number=4, run_id=run, status="READY", digest="b" * 64)
    assert found(admin, run)["Versions"] == ["flight-delay v4"]
    assert found(admin, run[:9].upper())["Versions"] == ["flight-delay v4"]
    for words in (run, run[:9]):
        assert "Versions" not in found(stranger, words)
    for words in ("0b" * 16, run[:3], f"{run}0"):
        assert "Versions" not in found(admin, words), words


def test_what_cannot_be_searched_is_said_and_hides_nothing_else(delay, admin, tracking, client_for):
    tracking.is_away = True
    for headers in ({}, {"HX-Request": "true"}):
        page = client_for(admin).get("/search/", {"q": "flight"}, headers=headers).content.decode()
        assert page.count("Runs cannot be searched just now.") == 1
        assert 'href="/models/flight-delay/"' in page


def test_requests_are_found_by_model_and_version(delay, found, admin, reviewer, stranger, make_request):
    make_request(delay.versions.get(number=3))
    for words in ("flight", "flight-delay v3", "v3", ""):
        assert found(reviewer, words)["Requests"] == ["flight-delay v3 to production"], words
    assert "Requests" not in found(reviewer, "flight-delay v2")
    assert "Requests" not in found(reviewer, "other")
    assert "Requests" not in found(stranger, "flight")


def test_actions_are_offered_to_those_who_may_and_open_pages(
    delay, found, scientist, reviewer, stranger, actor
):
    assert found(scientist, "promote flight")["Actions"] == ["Request promotion of flight-delay v3…"]
    assert found(scientist, "promote flight-delay v2")["Actions"] == ["Request promotion of flight-delay v2…"]
    assert found(scientist, "edit flight")["Actions"] == ["Edit flight-delay…"]
    assert found(scientist, "delete flight")["Actions"] == ["Delete flight-delay…"]
    assert found(scientist, "rename flight")["Actions"] == ["Rename flight-delay…"]
    assert found(scientist, "create a data set")["Actions"] == ["Create a data set…"]
    assert "Actions" not in found(reviewer, "delete flight")
    assert "Actions" not in found(reviewer, "create a data set")
    assert "Actions" not in found(scientist, "promote nothing")
    assert "Actions" not in found(reviewer, "promote flight")
    assert "Actions" not in found(stranger, "promote flight")
    assert "Actions" not in found(stranger, "add a person")
    grant(actor=Actor.command_line(), model=delay, right="view", account=stranger, reason="Looks.")
    assert found(stranger, "flight") == {"Models": ["flight-delay"]}
    assert "Actions" not in found(stranger, "promote flight")


def test_a_stranger_finds_only_pages(delay, found, stranger, admin, actor, make_request, client_for):
    make_request(delay.versions.get(number=3))
    save_view(actor=actor(admin), page="models", name="flight watch", query="q=flight")
    for words in ("flight", "v3", "flights", "admin", "promote flight", "flight-delay v3"):
        groups = found(stranger, words)
        assert set(groups) <= {"Pages"}, (words, groups)
        page = client_for(stranger).get("/search/", {"q": words}, headers={"HX-Request": "true"})
        assert "/models/flight-delay" not in page.content.decode()
    assert found(admin, "flight w") == {"Saved views": ["flight watch"]}


@pytest.mark.parametrize("who", ["scientist", "reviewer", "operator", "stranger"])
def test_people_are_found_only_by_those_who_may_see_them(who, found, request, admin, auditor):
    assert "People" not in found(request.getfixturevalue(who), "admin")
    assert "People" not in found(request.getfixturevalue(who), who)
    assert found(auditor, "admin")["People"] == ["admin"]
    assert "People" not in found(auditor, "")


@pytest.mark.parametrize(
    "words",
    ["", "%", "_", "\\", "'", "v", "\x00", "\x00 v3", "x" * 5000, "promote \x00", "<b>", "v999999999"],
)
def test_odd_words_find_nothing_and_break_nothing(words, delay, admin, client_for):
    for headers in ({}, {"HX-Request": "true"}):
        answer = client_for(admin).get("/search/", {"q": words}, headers=headers)
        assert answer.status_code == 200
        assert "<b>" not in answer.content.decode().split("<main")[-1].split("Results for")[-1][:20]


@pytest.mark.parametrize("words", ["flight", "flight v1", "promote flight", ""])
def test_twelve_of_each_cost_what_one_does(
    words, delay, make_model, make_row, make_request, actor, scientist
):
    reader = actor(scientist)

    def cost():
        with CaptureQueriesContext(connection) as queries:  # an actor is made anew with each request
            shown = sum(len(group["lines"]) for group in results(replace(reader, extra={}), words))
        return len(queries), shown

    make_request(delay.versions.get(number=1))
    cost()  # what is asked once about the reader is no question of the rows
    before, few = cost()
    for index in range(11):
        model = make_model(f"flight-{index:02}")
        make_request(make_row(model))
        Dataset.objects.create(name=f"flights-{index}")
        save_view(actor=reader, page="models", name=f"flight {index}", query=f"q={index}")
    after, more = cost()
    assert after == before <= 8
    assert more > few
    assert RegisteredModel.objects.count() == 12


def test_the_palette_offers_what_one_can_do_with_the_page_it_was_opened_on(
    delay, scientist, reviewer, stranger, admin, client_for
):
    def offered(account, address, typed=""):
        head = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{address}"}
        page = client_for(account).get("/search/", {"q": typed}, headers=head).content.decode()
        return page if "On this page" in page else ""

    page = offered(scientist, "/models/flight-delay/versions/2/")
    for path in ("versions/2/promote/", "compare/?b=2", "versions/2/#use", "card/", "monitoring/", "edit/"):
        assert f"/models/flight-delay/{path}" in page, path
    assert "/models/flight-delay/versions/3/promote/" in offered(scientist, "/models/flight-delay/card/")
    assert "/promote/" not in offered(reviewer, "/models/flight-delay/").split("aria-label=", 2)[1]
    assert "card/" in offered(scientist, "/models/flight-delay/", "card")
    assert "monitoring/" not in offered(scientist, "/models/flight-delay/", "card")
    assert "/data/flights/contract/" in offered(admin, "/data/flights/?version=1")
    for address in ("/models/flight-delay/", "/data/flights/", "/models/nothing%00/", "/models/", "/inbox/"):
        assert offered(stranger, address) == ""


def test_more_than_six_are_said_and_lead_to_the_list_with_the_same_words(
    make_model, make_account, admin, stranger, client_for, actor
):
    for index in range(6):
        make_model(f"flight-{index}")
        Dataset.objects.create(name=f"fl & {index}")
        save_view(actor=actor(admin), page="models", name=f"fl {index}", query=f"q={index}")
    client = client_for(admin)
    palette = {"headers": {"HX-Request": "true"}}
    for more in ({}, palette):
        page = client.get("/search/", {"q": "fl"}, **more).content.decode()
        assert "See all" not in page
        assert "More match" not in page
    make_model("flight-6")
    Dataset.objects.create(name="fl & 6")
    save_view(actor=actor(admin), page="models", name="fl 6", query="q=6")
    for more in ({}, palette):
        page = client.get("/search/", {"q": "fl"}, **more).content.decode()
        assert "See all models that match" in page
        assert 'href="/models/?q=fl"' in page
        assert page.count('href="/models/flight-') == 6
        assert page.count("More match; type more of the name.") == 1
        assert 'href="/data/?q=fl+%26"' in client.get("/search/", {"q": "fl &"}, **more).content.decode()
        assert "See all" not in client_for(stranger).get("/search/", {"q": "fl"}, **more).content.decode()
    for address, link in (("/models/?q=fl", "/models/flight-"), ("/data/?q=fl+%26", "/data/fl%20")):
        assert client.get(address).content.decode().count(f'class="row-link" href="{link}') == 7, address


def test_a_list_of_requests_is_linked_by_the_models_name(make_model, make_row, make_request, admin, actor):
    for index in range(7):
        make_request(make_row(make_model(f"flight-delay-{index}")))
    more = {group["name"]: group["more"] for group in results(actor(admin), "flight-delay v1")}
    assert more["Requests"]["address"] == "/approvals/?model=flight-delay"
    assert more["Models"]["address"] == "/models/?q=flight-delay"
    assert more["Versions"]["address"] == ""
    unasked = {group["name"]: group["more"] for group in results(actor(admin), "")}
    assert unasked["Requests"]["address"] == "/approvals/"
    assert unasked["Pages"] is None


def test_a_prompt_is_called_one_and_offered_neither_promotion_nor_service(
    make_prompt, scientist, client_for, found
):
    make_prompt("flight-words", "Say {{what}}.")
    head = {"HX-Request": "true", "HX-Current-URL": "http://testserver/models/flight-words/"}
    page = client_for(scientist).get("/search/", {"q": ""}, headers=head).content.decode()
    for path in ("compare/?b=1", "versions/1/#use", "edit/"):
        assert f"/models/flight-words/{path}" in page, path
    for path in ("promote/", "card/", "monitoring/", "rollback/"):
        assert f"/models/flight-words/{path}" not in page, path
    assert "flight-words<small>prompt</small>" in page
    assert "Actions" not in found(scientist, "promote flight-words")
    assert found(scientist, "edit flight-words")["Actions"] == ["Edit flight-words…"]
