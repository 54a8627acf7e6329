"""A real browser on a live server: every page is checked by axe-core and for policy violations."""

import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import connection
from playwright.sync_api import Error, TimeoutError, sync_playwright

from tests.conftest import PASSWORD

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Which of the found boxes hold more than they show without scrolling sideways.
CUT_OFF = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.ariaLabel)"
# By how much the page is wider than the window.
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LOOKS = {"light at 1440": ("light", 1440, 900), "dark at 390": ("dark", 390, 844)}
WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", e => window.__violations.push(e.violatedDirective + " " + e.blockedURI + " " + e.sample));
"""


def pytest_collection_modifyitems(items):
    """Mark every test here; where no browser is to be had they are skipped, except in CI."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def chromium():
    # Playwright runs its own event loop; Django's ORM in the same thread is meant here.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    if not CHROMIUM:
        if os.environ.get("REFUSE_SKIPPED_BROWSER_TESTS"):
            pytest.fail("Chromium is not installed, and browser tests may not be skipped here.")
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _answered_before_the_tables_are_emptied(request):
    """A page that is left asks no more, but the server may still be answering it: emptied under it, both wait for each other."""
    if "live_server" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("transactional_db")  # so that this ends first
    yield
    busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()"
    until = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(busy)
            if not cursor.fetchone()[0]:
                return
            time.sleep(0.05)


class Visitor:
    """Somebody at a browser, who notices what a person would not."""

    def __init__(self, browser, address, scheme="light", width=1440, height=900):
        self.address = address
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            base_url=address,
            reduced_motion="reduce",
        )
        self.context.add_init_script(WATCH)
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.errors = []
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def sign_in(self, name, password=PASSWORD):
        self.page.goto("/login/")
        self.page.fill("#login", name)
        self.page.fill("#password", password)
        self.page.click("button:has-text('Sign in')")
        self.page.wait_for_url(re.compile(r"^(?!.*/login/).*$"))
        self.errors.clear()
        return self

    def open(self, path):
        self.page.goto(path)
        self.settle()
        return self.page

    def settle(self):
        """Until fonts are there and every chart is drawn."""
        self.page.evaluate("document.fonts.ready")
        charts = self.page.locator("[data-figure]").count()
        if charts:
            self.page.wait_for_function(f"document.querySelectorAll('[data-drawn]').length === {charts}")

    def check(self):
        """No policy violation, no script error, no axe violation, no sideways page scroll."""
        violations = self.page.evaluate("window.__violations")
        assert not violations, violations
        wide = self.page.evaluate(SIDEWAYS)
        assert wide <= 0, f"{self.page.url} scrolls sideways by {wide} px"
        try:
            self.page.evaluate(AXE)
        except Error as error:
            raise AssertionError(f"axe-core could not run: {error}") from error
        found = self.page.evaluate(
            "tags => axe.run(document, {resultTypes: ['violations'], runOnly: {type: 'tag', values: tags}}).then(r => r.violations.map(v => "
            "v.id + ': ' + v.nodes.slice(0, 4).map(n => n.target.join(' ') + ' | ' + (n.failureSummary || '').slice(0, 240)).join(' ; ')))",
            TAGS,
        )
        assert not found, f"{self.page.url}: " + "\n".join(found)
        assert not self.errors, self.errors

    def check_looks(self):
        """The page as it is, in each look: a window made narrow, and the other theme."""
        for scheme, width, height in reversed(LOOKS.values()):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.page.set_viewport_size({"width": width, "height": height})
            with suppress(TimeoutError):  # a chart follows in a moment; ``check`` says what never does
                self.page.wait_for_function(f"() => {SIDEWAYS} <= 0", timeout=3000)
            self.settle()
            self.check()

    def check_dialogs(self):
        """Each dialog a button of the page opens, once."""
        for name in dict.fromkeys(
            self.page.locator("[data-open]:visible").evaluate_all("all => all.map(one => one.dataset.open)")
        ):
            self.page.evaluate("name => document.getElementById(name).showModal()", name)
            self.check_looks()
            self.page.keyboard.press("Escape")

    def close(self):
        self.context.close()


@pytest.fixture
def visit(chromium, live_server):
    """``visit(scheme=…, width=…)``: a new visitor."""
    visitors = []

    def arrive(scheme="light", width=1440, height=900):
        visitors.append(Visitor(chromium, live_server.url, scheme, width, height))
        return visitors[-1]

    yield arrive
    for visitor in visitors:
        visitor.close()
