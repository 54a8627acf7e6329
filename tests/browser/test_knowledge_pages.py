"""Comparison, model card, trend, scans and lineage graph in a real browser, in both looks."""

import json

import pytest

from core.actors import Actor
from registry import services
from registry.cards.services import revise_card
from registry.evaluations.models import Evaluation
from registry.scans.models import Scan
from tests.browser.conftest import CUT_OFF
from tests.compare.conftest import files_with, make_data  # noqa: F401 - fixtures
from tests.compare.test_comparing_versions import column, judged, uses
from tests.registry.conftest import make_model, make_row, make_version, tracking  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def known(make_model, make_version, make_data, files_with, scientist, actor):
    """A model of which much is known: three versions, an evaluation, a card of two revisions, a scan."""
    model = make_model("flight-delay", description="Late by more than 15 minutes?")
    january, march, april = (make_data(f"2013-0{month}") for month in (1, 3, 4))
    held = uses(("training", january), ("holdout", march))
    first = make_version(
        model, metrics={"roc_auc": 0.678, "log_loss": 0.5}, params={"features": "schedule"}, tags=held
    )
    inputs = json.dumps([column("carrier", "string"), column("temp"), column("wind_speed")])
    second = make_version(
        model,
        files=files_with(inputs=inputs, requirements="scikit-learn==1.9.1\nskops==0.16\n"),
        metrics={"roc_auc": 0.760, "log_loss": 0.4},
        params={"features": "weather"},
        tags={**held, "controlplane.parent_version": "1", "controlplane.code_commit": "4be07d2a"},
    )
    make_version(model, metrics={"roc_auc": 0.754, "log_loss": 0.41}, tags=uses(("holdout", april)))
    services.move_protected_alias(actor=Actor.system(), model=model, alias="champion", version=first)
    Evaluation.objects.create(
        candidate=second,
        champion=first,
        dataset_version=april,
        candidate_digest=second.digest,
        champion_digest=first.digest,
        dataset_digest=april.digest,
        status="succeeded",
        result_sha256="b" * 64,
        comparison={**judged(-0.031, -0.018, -0.004), "blocked_by": "days", "resamples": 1000},
        rows=27000,
        blocks=30,
    )
    text = "Tells whether a flight is **late**.\n\n- for planners\n- not for passengers\n\n| a | b |\n|--|--|\n| 1 | 2 |"
    revise_card(actor=actor(scientist), model=model, sections={"purpose": text}, expected_number=0)
    more = {"purpose": text, "limits": "Observed hourly weather stands in for a forecast."}
    revise_card(actor=actor(scientist), model=model, sections=more, expected_number=1, from_version=2)
    finding = {"path": "model.pkl", "severity": "dangerous", "what": "posix.system", "where": "model.pkl"}
    report = {"version": "1.0.5", "scanned": ["model.pkl"], "partly": [], "error": ""}
    Scan.objects.create(
        version=second,
        digest=second.digest,
        status="finished",
        verdict="dangerous",
        files=[{"path": "model.pkl", "format": "pickle", "is_safe": False}],
        reports=[{"scanner": "picklescan", **report, "findings": [finding]}],
        sandbox="bubblewrap",
    )
    return model


def test_the_pages_of_what_is_known_are_sound(visit, known):
    visitor = visit().sign_in("scientist")
    home = "/models/flight-delay"
    pages = ["/", "/compare/?a=1&b=2", "/compare/?a=1&b=3"]
    pages += ["/card/", "/card/edit/", "/card/revisions/2/", "/versions/2/"]
    for path in pages:
        page = visitor.open(f"{home}{path}")
        page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true })")
        visitor.check_looks()
        assert page.locator(".scroll:has(> .diff)").evaluate_all(CUT_OFF) == []


def test_a_person_goes_from_the_model_to_the_comparison_and_its_card(visit, known):
    visitor = visit().sign_in("scientist")
    page = visitor.open("/models/flight-delay/")
    page.click("text=Compare v1 and v3")
    assert "No difference is shown" in page.locator("#metrics").inner_text()
    page.select_option("#id_b", label="v2")
    page.click("form[aria-label='Versions to compare'] button")
    page.wait_for_url("**/compare/?a=1&b=2")
    assert "Worse" in page.locator(".verdict").inner_text()
    assert "clients must change" in page.locator("#signature").inner_text()
    page.click("#card a:has-text('Card of')")
    page.click("text=Edit")
    page.fill("#id_data", "Public flights of 2013, with the weather of the hour.")
    page.fill("#id_note", "Where the data come from.")
    page.click("text=Keep this card")
    assert "Public flights of 2013" in page.locator("#data-h >> xpath=../..").inner_text()
    page.click(".rail a.link:text-is('3')")
    assert "Public flights of 2013" in page.locator("table.diff").inner_text()
    visitor.check()
