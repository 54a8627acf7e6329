"""The sign-in page, one's tokens, and what the ledger keeps of both."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import ApiToken
from accounts.services import set_active
from audit.models import Event
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def test_people_sign_in_and_the_ledger_knows(reviewer):
    client = Client()
    assert client.get("/login/").status_code == 200
    answer = client.post("/login/", {"login": "reviewer", "password": PASSWORD})
    assert answer.status_code == 302
    assert Event.objects.filter(fields__action="accounts.signed_in").count() == 1


@pytest.mark.parametrize("name", ["reviewer", "nobody"])
def test_wrong_names_and_wrong_passwords_are_told_the_same(reviewer, name):
    answer = Client().post("/login/", {"login": name, "password": "wrong wrong wrong"})
    assert answer.status_code == 200
    assert "not right" in answer.content.decode() or "not correct" in answer.content.decode()
    refused = Event.objects.filter(fields__action="accounts.sign_in_refused").get()
    assert refused.fields["outcome"] == "denied"


def test_next_leads_only_to_this_site(reviewer):
    for evil in ("//evil.example", "https://evil.example/", "\\\\evil.example"):
        answer = Client().post("/login/", {"login": "reviewer", "password": PASSWORD, "next": evil})
        assert "evil" not in answer.headers.get("Location", "")


def test_a_token_is_shown_once_and_revoked_at_once(scientist, client_for):
    client = client_for(scientist)
    page = client.post(
        "/settings/tokens/", {"name": "notebook", "scopes": ["view"], "days": "30"}
    ).content.decode()
    token = ApiToken.objects.get()
    assert "shown this once" in page
    assert "cp_" in page
    assert "shown this once" not in client.get("/settings/tokens/").content.decode()
    client.post(f"/settings/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_stranger_cannot_revoke_somebody_elses_token(scientist, stranger, client_for):
    client_for(scientist).post("/settings/tokens/", {"name": "notebook", "scopes": ["view"], "days": "30"})
    token = ApiToken.objects.get()
    assert client_for(stranger).post(f"/settings/tokens/{token.pk}/revoke/").status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_a_token_without_scopes_is_refused_with_the_field_named(scientist, client_for):
    answer = client_for(scientist).post("/settings/tokens/", {"name": "notebook", "days": "9000"})
    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("address", ["/settings/tokens/", "/settings/profile/"])
def test_anonymous_people_are_sent_to_sign_in(address):
    answer = Client().get(address)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/?next=")


@pytest.mark.parametrize(
    ("sent_from", "leads_to"),
    [
        ("http://testserver/models/delays/?tab=1", "/models/delays/?tab=1"),
        ("http://elsewhere.example/models/", "/"),
        ("", "/"),
    ],
)
def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(client, reviewer, sent_from, leads_to):
    """Not to its own address, which shows nothing."""
    answer = client.post("/models/delays/tags/set/", {"key": "a"}, headers={"Referer": sent_from})
    assert parse_qs(urlsplit(answer.url).query)["next"] == [leads_to]
    client.get(answer.url)
    client.force_login(reviewer)
    assert "nothing was changed" in client.get("/inbox/").content.decode()
    assert client.get("/").status_code == 302


def test_guessing_is_slowed_down_and_other_people_still_sign_in(reviewer, operator):
    cache.clear()
    for _ in range(5):
        Client().post("/login/", {"login": "reviewer", "password": "wrong wrong wrong"})
    refused = Client().post("/login/", {"login": "reviewer", "password": PASSWORD})
    assert refused.status_code != 302
    assert Client().post("/login/", {"login": "operator", "password": PASSWORD}).status_code == 302
    cache.clear()


def test_a_locked_account_is_told_nothing_more_than_a_wrong_password(reviewer, admin, actor):
    set_active(actor=actor(admin), account=reviewer, is_active=False, reason="Left.")
    wrong = Client().post("/login/", {"login": "nobody", "password": PASSWORD})
    locked = Client().post("/login/", {"login": "reviewer", "password": PASSWORD})
    assert (locked.status_code, errors_of(locked)) == (wrong.status_code, errors_of(wrong))


def errors_of(answer):
    return re.findall(r'role="alert">.*?</p>', answer.content.decode(), re.DOTALL)


def test_a_form_from_elsewhere_is_refused_with_a_page(reviewer):
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/login/", {"login": "reviewer", "password": PASSWORD})
    assert answer.status_code == 403
    assert "open for too long" in answer.content.decode()


def test_signing_in_makes_a_new_session_and_out_ends_it(reviewer):
    client = Client()
    client.get("/login/")
    client.post("/login/", {"login": "reviewer", "password": PASSWORD})
    first = client.cookies["sessionid"].value
    assert client.get("/logout/").status_code == 200
    assert client.get("/settings/profile/").status_code == 200, "signing out needs a POST"
    client.post("/logout/")
    stolen = Client()
    stolen.cookies["sessionid"] = first
    assert stolen.get("/settings/profile/").headers["Location"].startswith("/login/")


def test_the_theme_and_time_zone_are_kept(reviewer, client_for):
    client = client_for(reviewer)
    answer = client.post("/settings/profile/", {"time_zone": "Europe/Berlin", "theme": "dark"})
    assert answer.cookies["theme"].value == "dark"
    reviewer.refresh_from_db()
    assert reviewer.time_zone == "Europe/Berlin"
    page = client.get("/settings/profile/").content.decode()
    assert 'data-theme="dark"' in page
    assert client.post("/settings/profile/", {"time_zone": "Nowhere/Land"}).status_code == 422


def test_every_page_carries_the_browser_policy(client):
    headers = client.get("/login/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
