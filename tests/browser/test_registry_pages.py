"""Models, versions and access in a real browser: sound in both themes and at both widths."""

import pytest

from core.actors import Actor
from registry import services
from tests.registry.conftest import make_model, make_version, tracking  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def registry(make_model, make_version, tracking, scientist, operator, actor):
    """A model with a champion, a candidate, a failed version and one being hashed; and an empty one."""
    make_model("empty-model")
    model = make_model("flight-delay", description="Late by more than 15 minutes?", tier="high")
    services.update_model(actor=actor(scientist), model=model, on_call=operator.person)
    tags = {
        "controlplane.holdout": '{"kind": "random", "test_fraction": 0.2}',
        "controlplane.code_commit": "4be07d2",
    }
    first = make_version(model, tags=tags, metrics={"roc_auc": 0.678}, params={"max_iter": "200"})
    make_version(model, metrics={"roc_auc": 0.760})
    make_version(model, files={"notes.txt": "no model"})
    services.create_version(actor=actor(scientist), model=model, source=tracking.add_run("waiting"))
    services.move_protected_alias(actor=Actor.system(), model=model, alias="champion", version=first)
    return model


def test_the_registrys_pages_are_sound(visit, registry):
    visitor = visit().sign_in("scientist")
    versions = [f"/models/flight-delay/versions/{number}/" for number in (1, 3, 4)]
    pages = ["/models/", "/models/flight-delay/", "/models/empty-model/", "/models/flight-delay/edit/"]
    for path in (*pages, "/models/flight-delay/access/", *versions):
        visitor.open(path)
        visitor.check_looks()


def test_a_person_follows_a_model_to_the_digest_of_its_champion(visit, registry):
    visitor = visit().sign_in("scientist")
    page = visitor.open("/models/")
    page.click("a.row-link:has-text('flight-delay')")
    page.click(".verdict a:has-text('v1')")
    assert page.locator("h1").inner_text() == "flight-delay v1"
    digest = registry.versions.get(number=1).digest
    assert digest[:8] in page.locator("#artifact").inner_text()
    visitor.check()


def test_the_owner_names_who_is_on_call(visit, registry, reviewer):
    visitor = visit().sign_in("scientist")
    page = visitor.open("/models/flight-delay/edit/")
    page.select_option("#id_on_call", label="reviewer")
    page.click("text=Keep the changes")
    assert "reviewer" in page.locator(".rail").inner_text()
    registry.refresh_from_db()
    assert registry.on_call == reviewer.person


def test_a_page_follows_the_hashing_until_the_version_is_ready(visit, registry, run_jobs):
    visitor = visit().sign_in("scientist")
    page = visitor.open("/models/flight-delay/versions/4/")
    assert "Waiting for a worker" in page.locator(".banner").inner_text()
    run_jobs()
    page.wait_for_selector("#artifact")
    assert "Ready" in page.locator(".meta").inner_text()


ON_SEVERAL_LINES = """all => all.flatMap(cell => {
  const words = [], walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) for (const match of walker.currentNode.data.matchAll(/\\w[\\w.,:]*/g)) {
    const range = document.createRange();
    range.setStart(walker.currentNode, match.index);
    range.setEnd(walker.currentNode, match.index + match[0].length);
    if (new Set([...range.getClientRects()].map(box => box.top)).size > 1) words.push(match[0]);
  }
  return words;
})"""


def test_on_paper_words_and_numbers_stay_whole(visit, registry, auditor):
    visitor = visit(width=673).sign_in("auditor")  # A4 within its margins
    visitor.page.emulate_media(media="print")
    for path in ("/models/flight-delay/versions/1/", "/audit/"):
        page = visitor.open(path)
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        cells = page.locator(".tbl :is(thead th, td.r, td.nw, td:not([class]), td small)")
        assert cells.count() > 5
        assert cells.evaluate_all(ON_SEVERAL_LINES) == [], path
        head = page.locator(".printed").inner_text()
        assert "as auditor read it on" in head
        assert head.endswith(path)
        assert page.locator("main :is(.btn, .filters, form, .iconbtn):visible").count() == 0
        lists = page.locator(".scroll").evaluate_all("all => all.map(one => getComputedStyle(one).maxHeight)")
        assert set(lists) <= {"none"}, "a list would run over what follows"
        links = page.locator("main a.link[href^='/']")
        after = links.evaluate_all("all => all.map(a => getComputedStyle(a, '::after').content)")
        assert set(after) == {"none"}
