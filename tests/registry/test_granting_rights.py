"""Rights on one model are granted to people and groups, with a reason, and taken back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import Membership
from core.actors import Actor, holds
from core.errors import Invalid, NotAllowed, NotFound
from registry.access import services
from registry.access.models import ModelAccountGrant, ModelGroupGrant
from registry.locks import changed_model
from registry.models import RegisteredModel
from tests.registry.test_registering_models import events

pytestmark = pytest.mark.django_db
WHY = "Works on it from today."


@pytest.fixture
def colleague(make_account):
    return make_account("colleague", "data-scientist")


def sees(actor_, model):
    return RegisteredModel.objects.visible_to(actor_).filter(pk=model.pk).exists()


def test_a_granted_right_comes_with_sight_and_leaves_with_it(make_model, scientist, colleague, actor):
    model = make_model()
    services.grant(actor=actor(scientist), model=model, right="register", account=colleague, reason=WHY)
    assert sees(actor(colleague), model)
    assert holds(actor(colleague), "register", model)
    assert not holds(actor(colleague), "propose", model)
    services.revoke(
        actor=actor(scientist), model=model, right="view", account=colleague, reason="Left the team."
    )
    assert not sees(actor(colleague), model)
    assert not holds(actor(colleague), "register", model)
    [granted], [revoked] = events("registry.right_granted"), events("registry.right_revoked")
    assert (granted["after"]["right"], granted["reason"]) == ("register", WHY)
    assert granted["after"]["account_id"] == str(colleague.pk)
    assert revoked["before"]["rights"] == ["register", "view"]


def test_a_grant_to_a_group_counts_for_its_members_only(make_model, scientist, colleague, stranger, actor):
    model, team = make_model(), Group.objects.create(name="flights-team")
    Membership.objects.create(account=colleague, group=team)
    services.grant(actor=actor(scientist), model=model, right="propose", group=team, reason=WHY)
    assert sees(actor(colleague), model)
    assert holds(actor(colleague), "propose", model)
    assert not sees(actor(stranger), model)
    Membership.objects.filter(account=colleague).delete()
    assert not sees(actor(colleague), model)


def test_an_expired_grant_counts_for_nobody(make_model, scientist, colleague, actor):
    model = make_model()
    soon = timezone.now() + timedelta(hours=1)
    services.grant(
        actor=actor(scientist), model=model, right="view", account=colleague, reason=WHY, expires_at=soon
    )
    assert sees(actor(colleague), model)
    ModelAccountGrant.objects.filter(user=colleague).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not sees(actor(colleague), model)
    assert not holds(actor(colleague), "view", model)


def test_a_grant_to_a_deactivated_account_counts_for_nobody(
    make_model, scientist, colleague, make_account, actor
):
    model = make_model()
    linked = make_account("colleague-2", "data-scientist", person=colleague.person)
    services.grant(actor=actor(scientist), model=model, right="view", account=colleague, reason=WHY)
    assert sees(actor(linked), model), "accounts of one person share what was granted to them"
    colleague.is_active = False
    colleague.save()
    assert not sees(actor(linked), model)
    assert not sees(actor(colleague), model)


@pytest.mark.parametrize("right", ["approve", "deploy", "roll_back"])
def test_nobody_grants_themselves_what_decides(make_model, scientist, make_account, actor, right):
    model, team = make_model(), Group.objects.create(name="own-team")
    Membership.objects.create(account=scientist, group=team)
    linked = make_account("scientist-2", person=scientist.person)
    for holder in ({"account": scientist}, {"account": linked}, {"group": team}):
        with pytest.raises(NotAllowed) as refusal:
            services.grant(actor=actor(scientist), model=model, right=right, reason=WHY, **holder)
        assert refusal.value.code == "self_grant"
    assert not holds(actor(scientist), right, model)
    assert len(events("registry.grant")) == 3


def test_only_those_who_administer_grant(make_model, reviewer, colleague, admin, scientist, actor):
    model = make_model()
    services.grant(actor=actor(scientist), model=model, right="register", account=colleague, reason=WHY)
    for account in (reviewer, colleague):
        with pytest.raises(NotAllowed):
            services.grant(actor=actor(account), model=model, right="view", account=reviewer, reason=WHY)
    services.grant(actor=actor(admin), model=model, right="deploy", account=colleague, reason=WHY)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"right": "fly"}, "right"),
        ({"right": "create"}, "right"),
        ({"reason": ""}, "reason"),
        ({"reason": "a\u202eb"}, "reason"),
        ({"account": None}, "account"),
    ],
)
def test_wrong_grants_name_the_field(make_model, scientist, colleague, actor, change, field):
    asked = {"right": "view", "reason": WHY, "account": colleague, **change}
    with pytest.raises(Invalid) as refusal:
        services.grant(actor=actor(scientist), model=make_model(), **asked)
    assert refusal.value.field == field


def test_what_was_not_granted_cannot_be_revoked(make_model, scientist, colleague, actor):
    with pytest.raises(NotFound):
        services.revoke(
            actor=actor(scientist), model=make_model(), right="view", account=colleague, reason=WHY
        )


def test_grants_by_rest(make_model, token_client, scientist, colleague, reviewer):
    make_model("delays")
    client = token_client(scientist)
    body = {"model": "delays", "right": "propose", "account": "colleague", "reason": WHY}
    assert client.post("/api/v1/grants", body, "application/json").status_code == 201
    items = client.get("/api/v1/grants?model=delays").json()["items"]
    assert {(each["account"], each["right"]) for each in items} >= {
        ("colleague", "propose"),
        ("colleague", "view"),
    }
    assert token_client(reviewer).get("/api/v1/grants?model=delays").status_code == 403
    assert token_client(colleague).get("/api/v1/models/delays").status_code == 200
    body["right"] = "view"
    assert client.post("/api/v1/grants/revoke", body, "application/json").status_code == 204
    assert token_client(colleague).get("/api/v1/models/delays").status_code == 404
    for wrong in (
        {**body, "account": "nobody"},
        {**body, "right": "fly"},
        {**body, "account": None},
        {"model": "delays"},
    ):
        assert client.post("/api/v1/grants", wrong, "application/json").status_code == 400


def test_grants_go_with_the_row_they_are_about(make_model, scientist, colleague, actor):
    model = make_model()
    services.grant(actor=actor(scientist), model=model, right="view", account=colleague, reason=WHY)
    RegisteredModel.objects.filter(pk=model.pk).delete()
    assert not ModelAccountGrant.objects.exists()
    assert not ModelGroupGrant.objects.exists()


def test_a_grant_from_the_command_line(make_model, colleague, actor):
    from django.core.management import CommandError, call_command

    model = make_model("delays")
    call_command("grant", "colleague", "propose", "delays")
    assert holds(actor(colleague), "propose", model)
    assert events("registry.right_granted")[0]["actor"]["via"] == "cli"
    for words in (
        ("nobody", "view", "delays"),
        ("colleague", "fly", "delays"),
        ("colleague", "view", "nothing"),
    ):
        with pytest.raises(CommandError):
            call_command("grant", *words)
    with pytest.raises(CommandError, match="it is empty"):
        call_command("grant", "colleague", "view", "")


RIGHTS = ("view", "register", "propose", "approve", "deploy", "administer")


def test_a_locked_model_knows_what_its_grants_give_and_nothing_more(
    make_model, make_account, scientist, colleague, stranger, actor
):
    """The statement that locks reads every right at once; it must say what ``is_granted`` says."""
    model, group = make_model(), Group.objects.create(name="reviewers of delays")
    Membership.objects.create(account=stranger, group=group)
    second = make_account("second-account", person=colleague.person)
    by = actor(scientist)
    for right, account in (("register", colleague), ("propose", second)):
        services.grant(actor=by, model=model, right=right, account=account, reason=WHY)
    services.grant(actor=by, model=model, right="approve", group=group, reason=WHY)
    services.grant(actor=by, model=model, right="administer", account=colleague, reason=WHY)
    ModelAccountGrant.objects.filter(permission__codename="administer", user=colleague).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    type(second).objects.filter(pk=second.pk).update(is_active=False)
    narrow = replace(actor(colleague), scopes=frozenset({"view"}))
    asking = [actor(each) for each in (scientist, colleague, stranger)] + [
        narrow,
        replace(actor(colleague), is_active=False),
        Actor.anonymous(),
    ]
    for each in asking:
        row = changed_model(each, model)
        assert [row.is_granted_to(each, right) for right in RIGHTS] == [
            RegisteredModel.objects.get().is_granted_to(each, right) for right in RIGHTS
        ]
        assert row.held.actor == each
    row = changed_model(actor(scientist), model)  # what one holds says nothing of another
    assert row.is_granted_to(actor(scientist), "administer")
    assert not row.is_granted_to(actor(colleague), "administer")
    assert row.is_granted_to(actor(colleague), "register")
