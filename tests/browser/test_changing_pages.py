"""Changing the registry in a real browser: forms, what they say of mistakes, and what follows, in every look."""

import pytest

from core.actors import Actor
from registry import services
from tests.registry.conftest import make_model, make_row  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)
MODEL, FIRST, SECOND = (f"/models/flight-delay/{part}" for part in ("", "versions/1/", "versions/2/"))

LONG = f"/models/{'m' * 256}/"


@pytest.fixture
def model(make_model, make_row, scientist, actor):
    """The first of three versions is champion, the second challenger; all are tagged."""
    model = make_model("flight-delay", tags={"team": "arrivals"})
    first, second, _ = (make_row(model) for _ in range(3))
    services.move_protected_alias(actor=Actor.system(), model=model, alias="champion", version=first)
    services.set_alias(actor=actor(scientist), model=model, alias="challenger", version=second)
    services.set_alias(actor=actor(scientist), model=model, alias="a" * 255, version=second)
    long = make_model("m" * 256)
    make_row(long)
    services.set_tag(actor=actor(scientist), target=long, key="k" * 250, value="v" * 300)
    services.set_tag(actor=actor(scientist), target=second, key="stage", value="x" * 300)
    return model


def test_forms_and_their_answers_are_sound(visit, model):
    visitor = visit().sign_in("scientist")
    for path in (
        MODEL,
        FIRST,
        SECOND,
        f"{MODEL}edit/",
        f"{MODEL}delete/",
        f"{FIRST}delete/",
        f"{SECOND}delete/",
        "/data/_new/",
        LONG,
        f"{LONG}edit/",
        f"{LONG}delete/",
        f"{LONG}versions/1/delete/",
    ):
        page = visitor.open(path)
        page.evaluate("document.querySelectorAll('details.change').forEach(one => { one.open = true })")
        visitor.check_looks()
    page = visitor.open(FIRST)
    page.click("text=Set an alias")
    page.fill("#alias_alias", "challenger")
    page.click("button:has-text('Point it at v1')")
    assert "challenger points at v2 since" in page.locator("#alias_alias_error").inner_text()
    assert page.evaluate("document.activeElement.id") == "alias_alias", "led to the field, far below"
    visitor.errors.clear()  # the browser's own line about the 422
    visitor.check_looks()
    page = visitor.open("/data/_new/")
    page.fill("#id_name", "a/b")
    page.click("text=Create the data set")
    assert page.locator("#id_name").input_value() == "a/b"
    assert page.evaluate("document.activeElement.id") == "id_name"
    visitor.errors.clear()
    visitor.check_looks()


def test_a_person_moves_an_alias_takes_it_back_and_deletes_a_version(visit, model):
    page = visit().sign_in("scientist").open(FIRST)
    page.click("text=Set an alias")
    page.fill("#alias_alias", "challenger")
    page.click("button:has-text('Point it at v1')")
    page.click("button:has-text('Move the alias')")
    assert "challenger points at flight-delay v1 now; it pointed at v2." in page.locator(".msg").inner_text()
    page.click(".msg button:has-text('Undo')")
    assert page.locator("h1").inner_text() == "flight-delay v2"
    assert "challenger" in page.locator("#aliases").inner_text()
    page.click("text=Delete this version…")
    page.fill("#id_reason", "Trained on the wrong month.")
    page.fill("#id_typed", "flight-delay v2")
    page.click("button:has-text('Delete v2 for good')")
    assert page.locator("h1").inner_text() == "flight-delay v2 was deleted"
    page.goto(f"{FIRST}delete/")
    assert page.locator("h1").inner_text() == "flight-delay v1 cannot be deleted"
    assert page.locator("form input[name=typed]").count() == 0
