"""Admins manage people in the browser; others do not learn who is here."""

import pytest

from accounts.models import Account
from audit.models import Event

pytestmark = pytest.mark.django_db


def test_an_admin_creates_an_account_and_sees_its_password_once(admin, client_for):
    client = client_for(admin)
    page = client.post("/admin/people/", {"username": "newcomer", "role": "reviewer"}).content.decode()
    assert "newcomer can sign in" in page
    assert Account.objects.get(username="newcomer").groups.filter(name="reviewer").exists()
    assert "shown this once" not in client.get("/admin/people/").content.decode()


def test_an_admin_gives_and_takes_a_role_with_a_reason(admin, stranger, client_for):
    client = client_for(admin)
    client.post("/admin/people/stranger/roles/give/", {"role": "validator", "reason": "Joins the risk team."})
    assert stranger.groups.filter(name="validator").exists()
    given = Event.objects.filter(fields__action="accounts.role_given").order_by("-id")[0]
    assert given.fields["reason"] == "Joins the risk team."
    client.post("/admin/people/stranger/roles/take/", {"role": "validator", "reason": "Left."})
    assert not stranger.groups.filter(name="validator").exists()


def test_shutting_out_ends_the_session_at_once(admin, reviewer, client_for):
    theirs = client_for(reviewer)
    assert theirs.get("/inbox/").status_code == 200
    client_for(admin).post("/admin/people/reviewer/deactivate/", {"reason": "Left the company."})
    assert theirs.get("/inbox/").status_code == 302


@pytest.mark.parametrize("address", ["/admin/people/", "/admin/people/admin/"])
def test_others_do_not_learn_who_is_here(admin, scientist, client_for, address):
    assert client_for(scientist).get(address).status_code == 404


def test_a_scientist_cannot_give_roles_and_the_refusal_is_audited(scientist, client_for):
    client = client_for(scientist)
    client.post("/admin/people/scientist/roles/give/", {"role": "admin", "reason": "Because."})
    assert not scientist.groups.filter(name="admin").exists()
    assert Event.objects.filter(fields__outcome="denied").exists()


def test_a_name_that_cannot_be_is_told_at_the_field(admin, client_for):
    answer = client_for(admin).post("/admin/people/", {"username": "two words", "role": ""})
    assert answer.status_code == 422
    assert "Username must be" in answer.content.decode()


@pytest.mark.parametrize("address", ["explode/", "roles/explode/", "Deactivate/", "roles/GIVE/"])
def test_an_address_with_any_other_word_changes_nothing(admin, reviewer, client_for, address):
    form = {"role": "reviewer", "reason": "Because."}
    assert client_for(admin).post(f"/admin/people/reviewer/{address}", form).status_code == 404
    reviewer.refresh_from_db()
    assert reviewer.is_active
    assert reviewer.groups.filter(name="reviewer").exists()


def test_who_was_shut_out_can_be_let_in_again(admin, reviewer, client_for):
    client = client_for(admin)
    client.post("/admin/people/reviewer/deactivate/", {"reason": "Left."})
    assert "/admin/people/reviewer/activate/" in client.get("/admin/people/reviewer/").content.decode()
    client.post("/admin/people/reviewer/activate/", {"reason": "Came back."})
    reviewer.refresh_from_db()
    assert reviewer.is_active
