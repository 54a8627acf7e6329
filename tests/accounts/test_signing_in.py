"""The sign-in page, one's tokens, and what the ledger keeps of both."""

import pytest
from django.test import Client

from accounts.models import ApiToken
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
