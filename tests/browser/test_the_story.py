"""The whole story on a stack of its own, and then everybody's tour of README.md through what it left."""

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from controlplane.demo.doors import Rest
from tests.browser.conftest import LOOKS, Visitor
from tests.stack.conftest import ROOT, Started

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

# Enough to see every month; every flight of April is asked for in any case.
SAMPLE = "16"
MODEL = "flight-delay"


@pytest.fixture(scope="module")
def played():
    """A stack on which the story has come to its end."""
    with tempfile.TemporaryDirectory(prefix="cpstory-") as folder:
        started = Started(Path(folder) / "data")
        up = started.up("--detach")
        assert up.returncode == 0, up.stdout + up.stderr
        try:
            told = started.manage("play_demo", "--sample", SAMPLE, timeout=800)
            assert told.returncode == 0, told.stdout + told.stderr + last_words(started)
            started.told = told.stdout
            yield started
        finally:
            started.end()


def last_words(stack):
    """What the logs of a story that stopped end with; its folder is gone when anybody looks."""
    logs = sorted((stack.data_dir / "logs").glob("*.log"))
    return "".join(f"\n--- {log.name}\n{log.read_text()[-3000:]}" for log in logs)


@pytest.fixture(scope="module")
def passwords(played):
    return json.loads((played.data_dir / "keys" / "demo_passwords.json").read_text())


@pytest.fixture
def visitor(chromium, played, passwords):
    """``visitor("reviewer")``: somebody of the demo, signed in."""
    visitors = []

    def arrive(name, look="light at 1440"):
        visitors.append(Visitor(chromium, f"http://127.0.0.1:{played.port}", *LOOKS[look]))
        return visitors[-1].sign_in(name, passwords[name])

    yield arrive
    for each in visitors:
        each.close()


@pytest.fixture(scope="module")
def operator(played):
    issued = played.manage("issue_token", "operator", "--scope", "all")
    assert issued.returncode == 0, issued.stderr
    return Rest(f"http://127.0.0.1:{played.port}", issued.stdout.split()[-1])


def test_the_story_comes_to_its_end(operator):
    endpoint = operator.get(f"monitoring/models/{MODEL}")
    assert endpoint["version"] == 3
    assert [each["version"] for each in endpoint["first_served"]] == [1, 2, 3]
    statuses = {each["version"]: each["status"] for each in operator.items("deployments", model=MODEL)}
    assert statuses == {1: "standby", 2: "rolled_back", 3: "live"}


def test_april_is_told_by_the_data(operator):
    weeks = {
        each["starts_on"]: each["comparison"]["metrics"]["roc_auc"]["difference"]["estimate"]
        for each in operator.get(
            f"monitoring/models/{MODEL}/quality", window="week", range="90d", until="2013-05-05"
        )["items"]
        if each["role"] == "served" and each["version"] == 2 and each["comparison"].get("metrics")
    }
    assert weeks["2013-04-08"] > 0 and weeks["2013-04-15"] > 0
    assert weeks["2013-04-22"] < 0 and weeks["2013-04-29"] < 0


def test_the_incident_blames_the_days_and_not_the_temperature(operator):
    (incident,) = operator.items("incidents", model=MODEL)
    assert incident["status"] == "resolved" and incident["version"] == 2
    (learnt,) = operator.get(f"incidents/{incident['id']}/post-mortem")["items"]
    assert learnt["cause"].startswith("Not the temperature")
    kinds = [each["kind"] for each in operator.get(f"incidents/{incident['id']}")["timeline"]]
    assert kinds[0] == "opened" and {"alert", "acknowledged", "rolled_back", "post_mortem"} <= set(kinds)
    drift = operator.get(f"monitoring/models/{MODEL}/drift", window="week", range="90d", until="2013-05-05")
    april = [each for each in drift["items"] if each["feature"] == "temp" and each["version"] == 2]
    assert max(each["psi"] for each in april if each["psi"] is not None) > 0.25


def test_the_silent_weather_feed_is_a_data_issue(operator):
    found = operator.get(f"monitoring/models/{MODEL}/data-issues", range="7d")["items"]
    silent = {each["feature"] for each in found if each["kind"] == "missing" and each["is_open"]}
    assert {"temp", "dewp", "humid", "precip", "visib", "wind_speed"} <= silent
    assert {each["first_day"] for each in found if each["feature"] == "temp"} == {"2013-12-31"}


def test_the_bundle_holds_and_a_changed_one_does_not(played, tmp_path):
    bundle = played.data_dir / "exports" / "year-2013.zip"
    assert verify(bundle) == 0
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(bundle) as given, zipfile.ZipFile(forged, "w") as made:
        for name in given.namelist():
            content = given.read(name)
            made.writestr(name, content.replace(b"two weeks in a row", b"two weeks in a raw"))
    assert verify(forged) == 1


def verify(bundle):
    words = [sys.executable, "-I", "-S", str(ROOT / "tools" / "verify_ledger.py"), str(bundle)]
    return subprocess.run(words, capture_output=True, check=False).returncode


def follow(visitor, *links):
    """Click one link after the other, and look at each page that opens."""
    page = visitor.page
    for link in links:
        target = page.get_by_role("main").get_by_role("link", name=link)
        if not target.count():
            target = page.get_by_role("link", name=link)
        target.first.click()
        page.wait_for_load_state()
        visitor.settle()
        visitor.check()
    return page


def test_the_reviewers_tour(visitor):
    page = follow(visitor("reviewer"), "Approvals", "flight-delay v2 to production")
    for words in ("Rolled back", "How the hold-out was split", "at random", "Metrics against the champion"):
        assert page.get_by_text(words).first.is_visible()


def test_the_scientists_tour(visitor):
    page = follow(visitor("scientist"), "Models", "flight-delay", re.compile("^v3"))
    assert page.get_by_text("Can it be promoted?").is_visible()
    page = follow(visitor("scientist"), "Data sets", re.compile("^flights$"))
    assert page.get_by_text("rules hold").is_visible()


def test_the_operators_tour(visitor):
    someone = visitor("operator")
    someone.open("/incidents/?show=resolved")
    page = follow(someone, re.compile("ROC AUC of flight-delay v2"))
    assert page.get_by_role("paragraph").filter(has_text="Not the temperature").is_visible()
    page = follow(someone, "Deployments", re.compile("flight-delay v2"))
    assert page.get_by_text("Rolled back").first.is_visible()
    page = follow(someone, "Monitoring", re.compile("^flight-delay"))
    assert page.get_by_text(re.compile("is better than v1 on the same rows")).first.is_visible()
    page = follow(someone, re.compile("Roll back"), "Choose")
    assert page.get_by_label("Your password").is_visible()


def test_the_auditors_tour(visitor, tmp_path):
    someone = visitor("auditor")
    page = follow(someone, "Audit trail", "Export…")
    assert page.get_by_role("rowheader", name=re.compile("^The year 2013")).is_visible()
    assert page.get_by_text("Intact").first.is_visible()
    with page.expect_download() as waited:
        page.get_by_role("link", name="Download").first.click()
    waited.value.save_as(tmp_path / "bundle.zip")
    assert verify(tmp_path / "bundle.zip") == 0


def test_the_admins_tour(visitor):
    someone = visitor("admin")
    follow(someone, "People", "reviewer")
    follow(someone, "System")
    page = follow(someone, "Models", "flight-delay", "Access")
    assert page.get_by_text("scientist").first.is_visible()


PAGES = [
    "/inbox/", "/models/", f"/models/{MODEL}/", f"/models/{MODEL}/versions/2/", f"/models/{MODEL}/monitoring/",
    f"/models/{MODEL}/monitoring/?range=90d&window=week&until=2013-05-05", "/approvals/", "/deployments/",
    "/monitoring/", "/incidents/?show=all", "/data/", "/data/flights/", "/pipelines/", "/costs/", "/jobs/",
    "/audit/", "/audit/exports/", "/admin/people/", "/admin/system/", "/settings/tokens/", "/search/?q=flight",
]  # fmt: skip


def test_every_page_with_its_rows(visitor, operator):
    (incident,) = operator.items("incidents", model=MODEL)
    requests = [f"/approvals/{each['id']}/" for each in operator.items("promotion-requests", model=MODEL)]
    deployed = [f"/deployments/{each['id']}/" for each in operator.items("deployments", model=MODEL)]
    someone = visitor("admin")
    for path in [*PAGES, *requests, *deployed, f"/incidents/{incident['id']}/"]:
        someone.open(path)
        someone.check_looks()


@pytest.fixture(scope="module")
def guest(played):
    """Somebody new, who knows nothing yet."""
    password = "a guest's long password 1"
    made = played.manage(
        "create_account", "guest", "--role", "data-scientist", "--password-stdin", input=password
    )
    assert made.returncode == 0, made.stderr
    return password


def test_a_stranger_finds_nothing_of_it_until_an_admin_grants_it(chromium, played, visitor, guest, operator):
    stranger = Visitor(chromium, f"http://127.0.0.1:{played.port}").sign_in("guest", guest)
    (incident,) = operator.items("incidents", model=MODEL)
    hidden = [path for path in PAGES if path.startswith((f"/models/{MODEL}/", "/data/flights"))]
    hidden += [f"/incidents/{incident['id']}/"]
    hidden += [f"/approvals/{each['id']}/" for each in operator.items("promotion-requests", model=MODEL)]
    hidden += [f"/deployments/{each['id']}/" for each in operator.items("deployments", model=MODEL)]
    for path in hidden:
        assert stranger.page.goto(path).status == 404, path
    for path in set(PAGES) - set(hidden) - {"/audit/", "/audit/exports/", "/admin/people/", "/admin/system/"}:
        assert not stranger.open(path).locator(f"a[href*='{MODEL}'], a[href*='/flights']").count(), path

    page = visitor("admin").open(f"/models/{MODEL}/access/")
    page.get_by_label("Right", exact=True).select_option("view")
    page.fill("#id_account", "guest")
    page.fill("#id_reason", "Joins the team.")
    page.get_by_role("button", name="Grant", exact=True).click()
    assert page.get_by_role("rowheader", name="guest").is_visible()

    assert stranger.page.goto(f"/models/{MODEL}/").status == 200
    assert stranger.page.goto(f"/models/{MODEL}/access/").status in {403, 404}
    stranger.close()


def test_an_operator_rolls_back_in_the_browser(visitor, passwords, operator):
    someone = visitor("operator")
    someone.open(f"/models/{MODEL}/monitoring/")
    page = follow(someone, re.compile("Roll back"), "Choose")
    page.get_by_label("Reason").fill("An exercise: how fast are we back?")
    page.get_by_label("Your password").fill("not this one")
    page.get_by_role("button", name="Sign and roll back to v1").click()
    assert page.get_by_text(re.compile("password", re.IGNORECASE)).first.is_visible()
    assert operator.get(f"monitoring/models/{MODEL}")["version"] == 3

    page.get_by_label("Your password").fill(passwords["operator"])
    page.get_by_role("button", name="Sign and roll back to v1").click()
    page.wait_for_url(re.compile(r"/deployments/"))
    operator.wait(f"monitoring/models/{MODEL}", lambda each: each["version"] == 1, timeout=30)
    statuses = {each["version"]: each["status"] for each in operator.items("deployments", model=MODEL)}
    assert statuses[1] == "live" and statuses[3] == "rolled_back"
