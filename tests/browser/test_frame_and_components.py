"""The frame and every component, in each look, by mouse, keyboard and without a server."""

import pytest

from tests.browser.conftest import LOOKS
from tests.browser.pages import PAGES

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _with_styleguide(settings):
    settings.SHOW_STYLEGUIDE = True


@pytest.mark.parametrize("account", PAGES)
def test_every_page_is_sound(visit, make_account, account):
    make_account(account, account)
    visitor = visit().sign_in(account)
    for path in PAGES[account]:
        visitor.open(path)
        visitor.errors = [each for each in visitor.errors if "404" not in each]
        visitor.check_looks()
        visitor.check_dialogs()


def test_pages_fit_a_window_of_320_pixels(visit, scientist):
    visitor = visit(width=320, height=640).sign_in("scientist")
    page = visitor.open("/styleguide/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_charts_are_drawn_in_the_colours_of_the_theme_and_shown_as_tables(visit, scientist):
    visitor = visit("dark").sign_in("scientist")
    page = visitor.open("/styleguide/")
    line = page.locator("[data-figure=fig-auc] .scatterlayer .js-line").last
    dark = line.evaluate("line => getComputedStyle(line).stroke")
    page.click("[data-theme-toggle]")
    page.wait_for_function("was => getComputedStyle([...document.querySelectorAll("
                           "'[data-figure=fig-auc] .scatterlayer .js-line')].at(-1)).stroke !== was", arg=dark)  # fmt: skip
    page.click("text=Show as table >> nth=0")
    assert "not yet known" in page.locator("details.data[open]").inner_text()
    visitor.check()


def test_a_dialog_opens_once_its_form_is_filled_in_and_repeats_it(visit, scientist):
    visitor = visit().sign_in("scientist")
    page = visitor.open("/styleguide/")
    page.click(".rail [data-open=sign]")
    assert not page.locator("#sign").is_visible()
    page.click("label.opt:has-text('Reject')")
    page.fill("#why", "The hold-out is random.")
    page.click(".rail [data-open=sign]")
    assert page.locator("#sign [data-mirror=decision]").inner_text() == "Reject"
    assert page.locator("#sign [data-mirror=reason]").inner_text() == "The hold-out is random."
    visitor.check()


def test_keys_move_and_can_be_switched_off(visit, scientist):
    visitor = visit().sign_in("scientist")
    page = visitor.open("/styleguide/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("n")
    page.wait_for_url("**/styleguide/#metrics")
    page.keyboard.press("?")
    visitor.check()
    page.uncheck("[data-single-keys]")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.keyboard.press("?")
    assert not page.locator("#keys").is_visible()
    assert "/styleguide/" in page.url
    page.keyboard.press("Control+k")
    assert page.locator("#palette").is_visible()


def test_a_phone_has_the_whole_menu(visit, admin):
    visitor = visit(*LOOKS["dark at 390"]).sign_in("admin")
    page = visitor.open("/inbox/")
    page.click("[data-open=menu]")
    visitor.check()
    page.click("#menu >> text=System")
    page.wait_for_url("**/admin/system/")


def test_a_live_part_says_since_when_it_is_not_updated(visit, admin, actor):
    from django.db import transaction

    from core.jobs import enqueue

    with transaction.atomic():
        job = enqueue("registry.fail_stalled_evaluations", actor=actor(admin))
    visitor = visit().sign_in("admin")
    page = visitor.open(f"/jobs/{job.pk}/")
    page.route("**/jobs/**", lambda route: route.abort())
    page.wait_for_selector(".stale >> text=Not updated since", timeout=10_000)
    assert page.locator("#j-h").is_visible()
    page.unroute("**/jobs/**")
    page.click("text=Try again")
    page.wait_for_selector(".stale", state="detached")


def test_pages_work_without_scripts(chromium, live_server, admin):
    context = chromium.new_context(java_script_enabled=False, base_url=live_server.url)
    page = context.new_page()
    page.goto("/login/?next=/search/?q=system")
    page.fill("#login", "admin")
    page.fill("#password", "correct horse battery staple")
    page.click("button:has-text('Sign in')")
    page.click("main a:has-text('System')")
    page.wait_for_url("**/admin/system/")
    context.close()
