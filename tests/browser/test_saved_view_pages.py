"""Views kept under a name, the narrowed models list and the palette, in a real browser."""

import pytest

from registry import services
from tests.registry.conftest import make_model, make_row  # noqa: F401 - fixtures
from workspace.saved_views.list_pages import LIST_PAGES
from workspace.saved_views.services import save_view

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kept(make_model, make_row, scientist, admin, actor):
    """Models with tags, and a view of every list page."""
    for name in ("flight-delay", "flight-cancellation", "bike-demand"):
        model = make_model(name, tier="high", description="Which ones need a hand tomorrow?")
        services.set_tag(actor=actor(scientist), target=model, key="team", value="operations")
        make_row(model)
    views = {"models": "tier=high&sort=name", "approvals": "status=pending", "deployments": "status=failed",
             "incidents": "show=all", "data": "state=late", "audit": "outcome=ok", "jobs": "status=failed"}  # fmt: skip
    for page, query in views.items():
        save_view(actor=actor(admin), page=page, name="What I look at first", query=query)
    save_view(actor=actor(admin), page="models", name="Operations", query="tag=team%3Aoperations")


def test_lists_with_saved_views_and_results_are_sound(visit, kept):
    visitor = visit().sign_in("admin")
    for page in LIST_PAGES.values():
        visitor.open(page.address)
        visitor.check_looks()
    page = visitor.open("/models/?tier=high&owner=sci&tag=team:operations&sort=changed")
    page.click("text=Save this view")
    visitor.check_looks()
    for path in (
        "/models/?owner=nobody",
        "/search/?q=flight",
        "/search/?q=flight-delay+v1",
        "/search/?q=zzz",
    ):
        visitor.open(path)
        visitor.check_looks()


def test_somebody_keeps_deletes_and_brings_back_a_view(visit, kept):
    visitor = visit().sign_in("admin")
    page = visitor.open("/models/")
    page.fill("#id_tag", "team:operations")
    page.select_option("#id_tier", "high")
    page.click("button:has-text('Find')")
    page.click("text=Save this view")
    page.fill("#view-name", "Mine in spring")
    page.click("button:has-text('Save view')")
    assert page.locator(".views [aria-current]").inner_text() == "Mine in spring"
    page.click("[aria-label='Delete the view Mine in spring']")
    assert page.locator(".views a:has-text('Mine in spring')").count() == 0
    visitor.check()
    page.click("button:has-text('Undo')")
    assert page.locator(".views [aria-current]").inner_text() == "Mine in spring"
    assert "tag=team%3Aoperations" in page.url


def test_the_palette_leads_to_a_version_and_to_an_action(visit, kept, scientist):
    visitor = visit().sign_in("scientist")
    page = visitor.open("/inbox/")
    for typed, option, path in (
        ("flight-delay v1", "flight-delay v1", "/models/flight-delay/versions/1/"),
        (
            "promote flight-d",
            "Request promotion of flight-delay v1…",
            "/models/flight-delay/versions/1/promote/",
        ),
    ):
        page.keyboard.press("Control+k")
        page.fill("#palq", typed)
        line = page.locator(f"#pallist [role=option]:has-text('{option}')")
        line.wait_for()
        visitor.check()
        while line.get_attribute("aria-selected") != "true":
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{path}")
