"""Groups, people and tokens by REST: admins change them, others find only where they belong."""

import json
import re
import threading
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import services as accounts
from accounts.groups import services
from accounts.models import Account, ApiToken
from audit.models import Event
from core.actors import holds
from core.errors import Conflict, NotAllowed
from registry import services as registry
from registry.access.services import grant
from registry.models import RegisteredModel

pytestmark = pytest.mark.django_db
JSON = "application/json"
HOW_TO = Path(__file__).resolve().parents[2] / "docs/how-to/groups-and-people.md"


def send(client, method, address, body=None, **headers):
    sent = None if body is None else json.dumps(body)
    return getattr(client, method)(f"/api/v1/{address}", sent, JSON, headers=headers)


def change(client, method, address, body=None):
    """With the ETag that is current."""
    etag = client.get(f"/api/v1/{address}")["ETag"]
    return send(client, method, address, body, **{"If-Match": etag})


def actions():
    return [each.fields["action"] for each in Event.objects.order_by("id") if each.fields["outcome"] == "ok"]


def denied():
    return Event.objects.filter(fields__outcome="denied").count()


@pytest.fixture
def chief(admin, client_for):
    return client_for(admin)


@pytest.fixture
def team(admin, actor, scientist):
    made = services.create_group(actor=actor(admin), name="forecasting")
    services.add_member(actor=actor(admin), group=made, account_name="scientist")
    return made


@pytest.fixture
def model(scientist, actor):
    return registry.create_model(actor=actor(scientist), name="delays")


def test_an_admin_makes_a_group_and_its_member_reads_what_was_granted_to_it(
    chief, stranger, model, client_for
):
    assert send(chief, "post", "groups", {"name": "forecasting"}).status_code == 201
    added = send(chief, "post", "groups/forecasting/members", {"account": "stranger", "reason": "Joins."})
    assert added.status_code == 201, added.content
    theirs = client_for(stranger)
    assert theirs.get("/api/v1/models/delays").status_code == 404
    asked = {"model": "delays", "group": "forecasting", "right": "view", "reason": "Reads."}
    assert send(chief, "post", "grants", asked).status_code == 201
    assert theirs.get("/api/v1/models/delays").status_code == 200
    removed = change(chief, "delete", "groups/forecasting/members/stranger")
    assert removed.status_code == 204
    assert theirs.get("/api/v1/models/delays").status_code == 404
    made = [each for each in actions() if each.startswith(("accounts.group", "accounts.member"))]
    assert made == ["accounts.group_created", "accounts.member_added", "accounts.member_removed"]


def test_the_calls_of_the_how_to_page_work(admin, make_account, scientist, actor, token_client):
    make_account("ann")
    registry.create_model(actor=actor(scientist), name="flight-delay")
    client = token_client(admin, ["administer", "view"])
    calls = re.findall(r'"\$URL/api/v1/([^"]+)".* -d \'([^\']+)\'', HOW_TO.read_text())
    assert [address for address, _ in calls] == ["groups", "groups/forecasting/members", "grants"]
    for address, body in calls:
        assert send(client, "post", address, json.loads(body)).status_code == 201, address
    assert holds_register("ann", "flight-delay")


def holds_register(account, model):
    return holds(actor_of(account), "register", RegisteredModel.objects.get(name=model))


@pytest.mark.parametrize(
    "address", ["groups/%00", "groups/%00/members", "groups/forecasting/members/%00", "people/%00"]
)
def test_an_address_with_nul_is_not_found(chief, team, address):
    assert chief.get(f"/api/v1/{address}").status_code == 404
    assert chief.get("/groups/%00/").status_code == 404


def actor_of(name):
    from accounts.actors import actor_for

    return actor_for(Account.objects.get(username=name))


def test_deleting_a_group_says_before_and_keeps_after_what_goes_with_it(chief, team, model):
    grant(actor=actor_of("scientist"), model=model, group=team, right="register", reason="Trains.")
    shown = chief.get("/api/v1/groups/forecasting").json()
    assert shown == {
        "name": "forecasting",
        "member_count": 1,
        "grants": {"data set": 0, "model": 2, "source": 0},
    }
    named = {
        (each["name"], each["right"])
        for each in chief.get("/api/v1/groups/forecasting/grants").json()["items"]
    }
    assert named == {("delays", "register"), ("delays", "view")}
    old = chief.get("/api/v1/groups/forecasting")["ETag"]
    grant(actor=actor_of("scientist"), model=model, group=team, right="propose", reason="Proposes.")
    assert send(chief, "delete", "groups/forecasting", **{"If-Match": old}).status_code == 412
    assert change(chief, "delete", "groups/forecasting").status_code == 204
    assert not Group.objects.filter(pk=team.pk).exists()
    assert not model.group_grants.exists()
    event = Event.objects.get(fields__action="accounts.group_deleted").fields
    assert "propose on model delays" in json.dumps(event)


def test_a_renamed_group_keeps_members_and_grants(chief, team, model):
    grant(actor=actor_of("scientist"), model=model, group=team, right="view", reason="Reads.")
    assert change(chief, "patch", "groups/forecasting", {"name": "planning"}).json()["name"] == "planning"
    assert chief.get("/api/v1/groups/forecasting").status_code == 404
    assert chief.get("/api/v1/groups/planning").json()["grants"]["model"] == 1


@pytest.mark.parametrize("name", ["admin", "Reviewer", "scientist", "FORECASTING"])
def test_names_that_are_taken_or_a_role_are_refused(chief, team, name):
    answer = send(chief, "post", "groups", {"name": name})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


@pytest.mark.parametrize(
    "name", ["", " ", "two words", "a/b", "..", "\u202egroup", "zero\u200bwidth", "a" * 64]
)
def test_names_that_cannot_be_are_refused_at_the_field(chief, name):
    answer = send(chief, "post", "groups", {"name": name})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/name"


def test_a_stranger_finds_no_group_and_no_person_but_themselves(team, stranger, client_for):
    theirs = client_for(stranger)
    assert theirs.get("/api/v1/groups").json()["items"] == []
    assert [each["account"] for each in theirs.get("/api/v1/people").json()["items"]] == ["stranger"]
    for address in ("groups/forecasting", "groups/forecasting/members", "groups/forecasting/grants",
                    "groups/forecasting/members/scientist", "people/scientist"):  # fmt: skip
        assert theirs.get(f"/api/v1/{address}").status_code == 404, address
    for address in ("/groups/forecasting/", "/groups/forecasting/delete/"):
        assert theirs.get(address).status_code == 404
    assert "forecasting" not in theirs.get("/groups/").content.decode()


def test_a_member_sees_the_others_and_changes_nothing(team, scientist, client_for):
    theirs, before = client_for(scientist), denied()
    assert [each["name"] for each in theirs.get("/api/v1/groups").json()["items"]] == ["forecasting"]
    assert theirs.get("/api/v1/groups/forecasting").json()["grants"] is None
    [member] = theirs.get("/api/v1/groups/forecasting/members").json()["items"]
    assert member["account"] == "scientist"
    refused = [
        send(theirs, "post", "groups", {"name": "mine"}),
        send(theirs, "post", "groups/forecasting/members", {"account": "nobody-here"}),
        change(theirs, "delete", "groups/forecasting/members/scientist"),
        change(theirs, "patch", "groups/forecasting", {"name": "ours"}),
        change(theirs, "delete", "groups/forecasting"),
        send(theirs, "post", "people", {"account": "friend"}),
        change(theirs, "patch", "people/scientist", {"roles": ["admin"]}),
    ]
    assert {each.status_code for each in refused} == {403}
    assert denied() == before + len(refused)


def test_only_who_may_grant_learns_which_names_there_are(model, operator, reviewer, client_for):
    client = client_for(operator)
    asked = {"model": "delays", "right": "view", "reason": "r"}
    for holder in (
        {"account": "reviewer"},
        {"account": "nobody"},
        {"group": "nobody"},
        {"group": "reviewer"},
    ):
        assert send(client, "post", "grants", {**asked, **holder}).status_code == 403
        assert send(client, "post", "grants/revoke", {**asked, **holder}).status_code == 403
        assert client.post("/models/delays/access/revoke/", {**asked, **holder}).status_code == 403


def test_nobody_adds_themselves_to_a_group(admin, team, actor):
    with pytest.raises(NotAllowed) as refused:
        services.add_member(actor=actor(admin), group=team, account_name="admin")
    assert refused.value.code == "self_grant"


def test_an_admin_creates_an_account_whose_password_is_answered_once(chief):
    body = {"account": "newcomer", "person": "New Comer", "role": "reviewer"}
    first = send(chief, "post", "people", body, **{"Idempotency-Key": "a"})
    assert first.status_code == 201, first.content
    again = send(chief, "post", "people", body, **{"Idempotency-Key": "a"})
    assert (again.status_code, again.json()["password"]) == (201, None)
    account = Account.objects.get(username="newcomer")
    assert account.check_password(first.json()["password"])
    assert first.json()["roles"] == ["reviewer"]
    assert first["ETag"] == chief.get("/api/v1/people/newcomer")["ETag"]
    assert not Account.objects.get(pk=account.pk).check_password("")


def test_roles_and_state_are_set_as_one_change(chief, admin, reviewer):
    answer = change(chief, "patch", "people/reviewer", {"roles": ["validator"], "reason": "Moves."})
    assert answer.json()["roles"] == ["validator"]
    refused = change(chief, "patch", "people/admin", {"roles": ["admin", "reviewer"], "is_active": False})
    assert (refused.status_code, refused.json()["code"]) == (403, "self_grant")
    last = change(chief, "patch", "people/admin", {"is_active": False})
    assert last.status_code == 409
    assert Account.objects.get(pk=admin.pk).is_active
    assert change(chief, "patch", "people/reviewer", {"is_active": False}).json()["is_active"] is False


def test_a_token_gives_no_role_and_issues_no_token(admin, reviewer, token_client):
    client = token_client(admin)
    answer = change(client, "patch", "people/reviewer", {"roles": ["reviewer", "validator"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "interactive_required")
    for scopes in (["all"], ["view"]):
        answer = send(client, "post", "tokens", {"name": "more", "scopes": scopes})
        assert (answer.status_code, answer.json()["code"]) == (403, "interactive_required")
    assert not reviewer.groups.filter(name="validator").exists()
    assert ApiToken.objects.count() == 1


def test_ones_own_tokens_are_made_listed_and_revoked(scientist, client_for):
    client = client_for(scientist)
    made = send(client, "post", "tokens", {"name": "notebook", "scopes": ["view"], "days": 7})
    assert made.status_code == 201, made.content
    with_it = Client(headers={"Authorization": f"Bearer {made.json()['secret']}"})
    assert with_it.get("/api/v1/me").status_code == 200
    [listed] = client.get("/api/v1/tokens").json()["items"]
    assert "secret" not in listed
    assert change(client, "delete", f"tokens/{listed['id']}").status_code == 204
    assert with_it.get("/api/v1/me").status_code == 401


def test_a_narrow_token_knows_only_of_itself_and_others_tokens_are_not_there(
    scientist, stranger, actor, token_client, client_for, chief
):
    other, _ = accounts.issue_token(actor=actor(scientist), account=scientist, name="other", scopes=["all"])
    narrow = token_client(scientist, ["view"])
    assert [each["name"] for each in narrow.get("/api/v1/tokens").json()["items"]] == ["test"]
    assert narrow.get(f"/api/v1/tokens/{other.pk}").status_code == 404
    theirs = client_for(stranger)
    assert theirs.get(f"/api/v1/tokens/{other.pk}").status_code == 404
    assert theirs.get("/api/v1/tokens?account=scientist").status_code == 404
    assert len(chief.get("/api/v1/tokens?account=scientist").json()["items"]) == 2
    assert change(chief, "delete", f"tokens/{other.pk}").status_code == 204


def test_lists_take_as_many_queries_for_twelve_as_for_one(chief, admin, actor, make_account, team):
    def queries(address):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert chief.get(address).status_code == 200
        return len(seen)

    addresses = ["/api/v1/groups", "/api/v1/people", "/api/v1/groups/forecasting/members", "/groups/",
                 "/groups/forecasting/"]  # fmt: skip
    few = [queries(address) for address in addresses]
    for number in range(12):
        make_account(f"person{number}", "reviewer")
        services.add_member(actor=actor(admin), group=team, account_name=f"person{number}")
        services.create_group(actor=actor(admin), name=f"group{number}")
    assert [queries(address) for address in addresses] == few


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_shut_each_other_out_one_stays(make_account, actor):
    first, second = make_account("first", "admin"), make_account("second", "admin")
    pairs, start, refused = [(first, second), (second, first)], threading.Barrier(2), []

    def shut_out(who, whom):
        try:
            start.wait()
            accounts.set_active(actor=actor(who), account=whom, is_active=False)
        except (Conflict, NotAllowed) as error:  # the last admin, or one who is shut out already
            refused.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=shut_out, args=pair) for pair in pairs]
    [each.start() for each in threads]
    [each.join() for each in threads]
    assert Account.objects.filter(groups__name="admin", is_active=True).count() == 1
    assert len(refused) == 1
