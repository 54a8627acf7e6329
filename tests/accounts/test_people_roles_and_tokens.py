"""Who may do what to accounts, and what a token can and cannot."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts import services, tokens
from accounts.actors import actor_for
from accounts.authentication import token_actor
from accounts.groups.services import create_group
from accounts.models import Account, ApiToken
from audit.models import Event
from core.actors import holds
from core.errors import Conflict, Invalid, NotAllowed

pytestmark = pytest.mark.django_db


def test_roles_give_rights_everywhere_and_a_stranger_holds_none(
    scientist, reviewer, operator, admin, stranger
):
    assert holds(actor_for(reviewer), "approve")
    assert not holds(actor_for(reviewer), "deploy")
    assert holds(actor_for(operator), "roll_back")
    assert not holds(actor_for(scientist), "view")
    assert not any(holds(actor_for(stranger), right) for right in ("view", "create", "approve", "audit"))
    assert not holds(actor_for(admin), "approve")


def test_nobody_gives_a_role_to_themselves(admin):
    with pytest.raises(NotAllowed) as refused:
        services.give_role(actor=actor_for(admin), account=admin, role="reviewer")
    assert refused.value.code == "self_grant"
    assert not admin.groups.filter(name="reviewer").exists()


def test_only_admins_create_accounts_and_names_are_unique_whatever_their_case(admin, scientist):
    with pytest.raises(NotAllowed):
        services.create_account(actor=actor_for(scientist), username="friend")
    services.create_account(actor=actor_for(admin), username="Friend")
    with pytest.raises(Conflict):
        services.create_account(actor=actor_for(admin), username="friend")
    with pytest.raises(Invalid):
        services.create_account(actor=actor_for(admin), username="two words")


@pytest.mark.parametrize(
    "name",
    [
        "\u0430dmin",
        "sc1entist",
        "scient\u0456st",
        "System",
        "anonymous",
        "command-line",
        "control-plane",
    ],
)
def test_no_account_passes_for_another_or_for_the_installation(admin, scientist, name):
    with pytest.raises(Conflict) as refused:
        services.create_account(actor=actor_for(admin), username=name)
    assert refused.value.field == "username"


def test_another_separator_is_no_other_name(admin):
    services.create_account(actor=actor_for(admin), username="f9-ann")
    for name in ("f9_ann", "f9.ann", "F9_Ann"):
        with pytest.raises(Conflict):
            services.create_account(actor=actor_for(admin), username=name)


def test_names_that_differ_as_names_do_are_given(admin):
    for name in ("team-1", "team-2", "m1", "ml", "anna", "hanna", "svc-1-12", "svc-11-2", "dan.s", "dans"):
        services.create_account(actor=actor_for(admin), username=name)


@pytest.mark.parametrize("name", ["\u0430dmin", "\u0430uditor", "\u0441rew", "system", "Control-Plane"])
def test_no_group_passes_for_a_role_or_another_group(admin, name):
    create_group(actor=actor_for(admin), name="crew")
    with pytest.raises(Conflict):
        create_group(actor=actor_for(admin), name=name)


def test_who_is_let_in_again_brings_no_old_session_or_token(admin, scientist, client_for):
    browser = client_for(scientist)
    _, secret = services.issue_token(
        actor=actor_for(scientist), account=scientist, name="old", scopes=["all"]
    )
    assert browser.get("/models/").status_code == 200
    services.set_active(actor=actor_for(admin), account=scientist, is_active=False, reason="Stolen laptop.")
    services.set_active(actor=actor_for(admin), account=scientist, is_active=True, reason="Found.")
    assert browser.get("/models/").status_code == 302
    assert token_actor(secret) is None
    [event] = [each.fields for each in Event.objects.acting("accounts.deactivated")]
    assert event["after"]["tokens_revoked"] == 1
    assert client_for(Account.objects.get(pk=scientist.pk)).get("/models/").status_code == 200


def test_the_last_admin_stays(admin):
    Account.objects.filter(groups__name="admin").exclude(pk=admin.pk).update(is_active=False)
    with pytest.raises(Conflict):
        services.set_active(actor=actor_for(admin), account=admin, is_active=False)


def test_a_token_acts_within_its_scope_until_it_ends(scientist):
    token, secret = services.issue_token(
        actor=actor_for(scientist), account=scientist, name="notebook", scopes=["predict"]
    )
    actor = token_actor(secret)
    assert actor is not None
    assert holds(actor, "predict")
    assert not holds(actor, "create"), "the role has it, the scope does not"
    assert secret not in str(ApiToken.objects.values().get(pk=token.pk))
    services.revoke_token(actor=actor_for(scientist), token=token)
    assert token_actor(secret) is None


def test_admins_issue_tokens_of_services_and_of_nobody_else(admin, scientist, make_account):
    service = make_account("nightly", "data-scientist", kind="service")
    token, _ = services.issue_token(actor=actor_for(admin), account=service, name="job", scopes=["view"])
    assert token.account == service
    with pytest.raises(NotAllowed) as refused:
        services.issue_token(actor=actor_for(admin), account=scientist, name="theirs", scopes=["all"])
    assert refused.value.code == "not_a_service"
    assert not ApiToken.objects.filter(account=scientist).exists()
    assert Event.objects.filter(fields__action="accounts.issue_token", fields__outcome="denied").exists()


def test_a_token_sets_no_password(admin, scientist):
    _, secret = services.issue_token(actor=actor_for(admin), account=admin, name="n", scopes=["all"])
    with pytest.raises(NotAllowed):
        services.change_password(actor=token_actor(secret), account=scientist, password="quite another horse")


def test_expired_tokens_and_tokens_of_inactive_accounts_are_dead(scientist):
    token, secret = services.issue_token(
        actor=actor_for(scientist), account=scientist, name="n", scopes=["all"]
    )
    Account.objects.filter(pk=scientist.pk).update(is_active=False)
    assert token_actor(secret) is None
    Account.objects.filter(pk=scientist.pk).update(is_active=True)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert token_actor(secret) is None


def test_a_token_never_issues_tokens_and_scopes_are_checked(scientist):
    _, secret = services.issue_token(actor=actor_for(scientist), account=scientist, name="n", scopes=["all"])
    actor = token_actor(secret)
    assert actor is not None
    with pytest.raises(NotAllowed) as refused:
        services.issue_token(actor=actor, account=scientist, name="more", scopes=["all"])
    assert refused.value.code == "interactive_required"
    with pytest.raises(Invalid):
        services.issue_token(actor=actor_for(scientist), account=scientist, name="n", scopes=["everything"])
    with pytest.raises(Invalid):
        services.issue_token(
            actor=actor_for(scientist),
            account=scientist,
            name="n",
            scopes=["all"],
            lifetime=timedelta(days=999),
        )


def test_a_mistyped_token_is_told_by_its_checksum():
    secret = tokens.new_secret()
    assert tokens.looks_right(secret)
    assert not tokens.looks_right(secret[:-1] + ("a" if secret[-1] != "a" else "b"))
    assert not tokens.looks_right("cp_short")


@pytest.mark.parametrize("days", ["0", "-1", "367", "999999999999", "9" * 30])
def test_a_token_of_impossible_days_is_refused_in_one_sentence(scientist, days):
    with pytest.raises(CommandError, match=r"1 to 366\.$"):
        call_command("issue_token", "scientist", "--scope", "view", "--days", days)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    "given", [b"\xff\xfe not utf-8 at all\n", b"a zero\x00 in its middle\n", b"escaped \x1b[31m red\n"]
)
def test_a_password_on_standard_input_is_printable_text(monkeypatch, given):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
    with pytest.raises(CommandError, match="control character or bytes that are not UTF-8"):
        call_command("create_account", "somebody", "--role", "reviewer", "--password-stdin")
    assert not Account.objects.filter(username="somebody").exists()
