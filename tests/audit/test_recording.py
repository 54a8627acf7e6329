"""An event stands or falls with its change; a refusal leaves its own."""

import json

import psycopg
import pytest
from django.db import connection, transaction

from accounts.actors import actor_for
from accounts.services import give_role
from audit.models import Event, Personal
from audit.services import command, record, record_denied
from core.actors import Actor
from core.errors import Conflict, NotAllowed, Unavailable
from tests.audit.conftest import THING


@command
def refuse(*, actor, thing):
    record(actor=actor, action="tests.tried", target=thing)
    raise NotAllowed("You may not.", code="not_you")


@command(refusals=(NotAllowed, Conflict))
def clash(*, actor, thing):
    raise Conflict("Somebody was faster.", code="too_late")


@command
def refuse_inside(*, actor, thing):
    record(actor=actor, action="tests.began", target=thing)
    refuse(actor=actor, thing=thing)


@pytest.mark.django_db(transaction=True)
def test_record_refuses_to_run_outside_a_transaction():
    with pytest.raises(RuntimeError):
        record(actor=Actor.system(), action="tests.happened")
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_leaves_no_event():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(actor=Actor.system(), action="tests.happened", target=THING)
        raise ZeroDivisionError
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("service", [refuse, refuse_inside])
def test_a_refusal_survives_the_rollback_of_what_was_refused_once(service, stranger):
    with pytest.raises(NotAllowed):
        service(actor=actor_for(stranger), thing=THING)
    assert not Event.objects.acting("tests.tried").exists()
    denied = Event.objects.acting("tests.").get()
    assert (denied.fields["outcome"], denied.fields["extra"]["code"]) == ("denied", "not_you")
    assert denied.fields["object"]["id"] == "1"
    assert denied.fields["actor"]["name"] == "stranger"


@pytest.mark.django_db(transaction=True)
def test_a_command_may_also_record_conflicts(stranger):
    with pytest.raises(Conflict):
        clash(actor=actor_for(stranger), thing=THING)
    assert Event.objects.acting("tests.clash").get().fields["extra"]["code"] == "too_late"


@pytest.mark.django_db
def test_a_real_refusal_names_who_what_and_why(stranger, admin):
    with pytest.raises(NotAllowed):
        give_role(actor=actor_for(stranger), account=admin, role="reviewer")
    denied = Event.objects.acting("accounts.give_role").get()
    assert denied.fields["outcome"] == "denied"
    assert "administer" in denied.fields["reason"]


@pytest.mark.django_db
def test_one_event_is_one_line_whatever_names_and_reasons_hold():
    ugly = 'two\nlines \x1b[31mred\x00 {"outcome":"ok"} \u202e \ud800'
    with transaction.atomic():
        key = record(
            actor=Actor.system(), action="tests.happened", target=THING, reason=ugly, after={"name": ugly}
        )
    event = Event.objects.keyed(key).get()
    assert "\n" not in event.body
    assert "\x1b" not in event.body
    assert json.loads(event.body)["reason"].startswith("two\nlines \x1b[31mred␀")


@pytest.mark.django_db
def test_secrets_never_reach_the_ledger():
    secret = "cp_" + "A" * 49
    values = {
        "password": "hunter2hunter2",
        "api_key": "abc",
        "nested": [{"client_secret": "x"}],
        "note": f"use {secret}",
    }
    with transaction.atomic():
        key = record(
            actor=Actor.system(),
            action="tests.happened",
            target=THING,
            after=values,
            reason=f"token {secret}",
        )
    body = Event.objects.keyed(key).get().body
    assert not any(word in body for word in ("hunter2", '"abc"', '"x"', secret))


@pytest.mark.django_db
def test_only_what_changed_is_kept():
    with transaction.atomic():
        key = record(
            actor=Actor.system(), action="tests.happened", before={"a": 1, "b": 1}, after={"a": 1, "b": 2}
        )
    fields = Event.objects.keyed(key).get().fields
    assert (fields["before"], fields["after"]) == ({"b": 1}, {"b": 2})


@pytest.mark.django_db
def test_addresses_are_kept_as_salted_hashes(client_for, reviewer):
    with transaction.atomic():
        actor = actor_for(reviewer, address="192.0.2.7", user_agent="Browser/1 \x07")
        key = record(actor=actor, action="tests.happened")
    event = Event.objects.keyed(key).get()
    assert "192.0.2.7" not in event.body
    assert Personal.objects.get(commitment=event.fields["request"]["ip"]["c"]).value == "192.0.2.7"


@pytest.mark.django_db(transaction=True)
def test_without_a_ledger_nothing_changes(connect, admin, scientist):
    superuser = connect("superuser")
    superuser.execute("REVOKE INSERT (body) ON audit.event FROM cp_app")
    try:
        with pytest.raises(Unavailable) as refused:
            give_role(actor=actor_for(admin), account=scientist, role="reviewer")
    finally:
        superuser.execute("GRANT INSERT (body) ON audit.event TO cp_app")
    assert (refused.value.status, refused.value.code) == (503, "ledger_unavailable")
    assert not scientist.groups.filter(name="reviewer").exists()


ATTEMPTS = [
    "UPDATE audit.event SET body = '{}'",
    "UPDATE audit.event SET recorded_at = now() - interval '1 year'",
    "DELETE FROM audit.event",
    "TRUNCATE audit.event",
    "INSERT INTO audit.event (body, leaf) VALUES ('{}', '\\x00')",
    "INSERT INTO audit.event (body, recorded_at) VALUES ('{}', now())",
    "INSERT INTO audit.seal (seq, event_id, leaf) VALUES (0, 1, '\\x00')",
    "INSERT INTO audit.checkpoint (tree_size, root, note) VALUES (1, '\\x00', 'x')",
    "INSERT INTO audit.signing_key (vkey) VALUES ('x')",
    "DELETE FROM audit.seal",
    "DELETE FROM audit.checkpoint",
    "SELECT * FROM audit.pending",
    "DELETE FROM audit.pending",
    "DELETE FROM audit.personal",
    "DROP TABLE audit.event",
    "ALTER TABLE audit.event DISABLE TRIGGER ALL",
    "DROP TRIGGER refuse_change ON audit.event",
    "SET session_replication_role = replica",
    "SET ROLE audit_owner",
    "SET ROLE cp_owner",
    "SET ROLE cp_sealer",
]


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ATTEMPTS)
def test_the_application_can_only_append(statement, connect):
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
        connect("cp_app").execute(statement)
    assert refused.value.sqlstate == "42501"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["event", "seal", "checkpoint", "signing_key"])
def test_not_even_the_owner_changes_a_row_by_accident(table, connect, happen, sealer):
    happen()
    owner = connect("cp_owner")
    owner.execute("SET ROLE audit_owner")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute(f"TRUNCATE audit.{table} CASCADE")


@pytest.mark.django_db
def test_what_the_application_sends_beside_the_body_does_not_count():
    record(actor=Actor.system(), action="tests.happened")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT db_user, recorded_at > now() - interval '1 minute' FROM audit.event ORDER BY id DESC LIMIT 1"
        )
        assert cursor.fetchone() == ("cp_app", True)


@pytest.mark.django_db
def test_a_refusal_at_a_door_is_an_event_too(stranger):
    record_denied(actor=actor_for(stranger), action="tests.opened", target=THING, code="interactive_required")
    assert Event.objects.acting("tests.opened").get().fields["extra"] == {"code": "interactive_required"}
