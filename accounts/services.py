"""Changes to people, roles and tokens."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import timedelta

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from accounts import tokens
from accounts.models import Account, ApiToken, Membership, Person
from accounts.roles import INSTALLATION, ROLES, SYNONYMS
from audit.services import command, record
from core.actors import EVERY_SCOPE, RIGHTS, Actor, holds
from core.errors import Conflict, Invalid, NotAllowed
from core.events import emit
from core.looks import taken_for, with_one_separator
from core.text import checked_text

LONGEST_TOKEN = timedelta(days=366)
NAME = "a name of 1 to 150 letters, digits, '.', '-', '_' and '@'"


@command
def create_account(
    *,
    actor: Actor,
    username: str,
    role: str | None = None,
    password: str | None = None,
    name: str = "",
    person: Person | None = None,
    kind: str = "person",
) -> Account:
    """Create an account, with its person unless it is linked to an existing one."""
    _require(actor, "administer", "create accounts")
    username = checked_text(username, "username", 150, min_length=1, normalise="NFKC")
    if not all(each.isalnum() or each in ".-_@" for each in username):
        raise Invalid(f"username must be {NAME}.", field="username", allowed=NAME)
    _require_own_look(username)
    if password is not None:
        _check_password(password)
    person = person or Person.objects.create(name=checked_text(name or username, "name", 150), kind=kind)
    account = Account(username=username, person=person)
    account.set_password(password)
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError:
        raise Conflict(f"There is an account named {username} already.", field="username") from None
    record(
        actor=actor,
        action="accounts.created",
        target=account,
        after={"username": username, "person": str(person.pk)},
    )
    if role:
        give_role(actor=actor, account=account, role=role, reason="Given when the account was created.")
    return account


def _require_own_look(username: str) -> None:
    """Rights are given by name, and the ledger names who acted: nobody may pass for somebody else."""
    if taken_for(with_one_separator(username, ""), INSTALLATION):
        raise Conflict(f"{username} is what the installation calls itself.", field="username")
    known = {with_one_separator(each): each for each in Account.objects.values_list("username", flat=True)}
    if found := taken_for(with_one_separator(username), known):
        other = known[found]
        words = "named" if other.casefold() == username.casefold() else "that looks like it:"
        raise Conflict(f"There is an account {words} {other} already.", field="username")


@command
def give_role(*, actor: Actor, account: Account, role: str, reason: str = "") -> Membership:
    """Give a role. Nobody gives a role to themselves."""
    _require(actor, "administer", "give roles")
    group = _role(role)
    if actor.via == "token":
        raise NotAllowed("A token cannot give roles; sign in with the browser.", code="interactive_required")
    if not actor.is_system and actor.person_id == account.person_id:
        raise NotAllowed("Nobody gives a role to themselves.", code="self_grant")
    giver = Account.objects.filter(pk=actor.account_id).first()
    membership, is_new = Membership.objects.get_or_create(
        account=account, group=group, defaults={"given_by": giver}
    )
    if is_new:
        record(
            actor=actor,
            action="accounts.role_given",
            target=account,
            after={"role": group.name},
            reason=reason,
        )
    return membership


@command
def take_role(*, actor: Actor, account: Account, role: str, reason: str = "") -> None:
    """Take a role away; the last active admin keeps theirs."""
    _require(actor, "administer", "take roles")
    group = _role(role)
    _one_change_of_admins_at_a_time()
    others = Account.objects.filter(groups=group, is_active=True).exclude(pk=account.pk)
    if group.name == "admin" and not others.exists():
        raise Conflict("The last active admin cannot be removed.")
    if Membership.objects.filter(account=account, group=group).delete()[0]:
        record(
            actor=actor,
            action="accounts.role_taken",
            target=account,
            before={"role": group.name},
            reason=reason,
        )


@command
def set_active(*, actor: Actor, account: Account, is_active: bool, reason: str = "") -> Account:
    """Let an account in or shut it out; its sessions and tokens die at once, and stay dead when it is let in."""
    _require(actor, "administer", "activate or deactivate accounts")
    _one_change_of_admins_at_a_time()
    others = Account.objects.filter(groups__name="admin", is_active=True).exclude(pk=account.pk)
    if not is_active and account.groups.filter(name="admin").exists() and not others.exists():
        raise Conflict("The last active admin cannot be deactivated.")
    if Account.objects.filter(pk=account.pk, is_active=not is_active).update(is_active=is_active):
        account.is_active = is_active
        action, after = "accounts.activated" if is_active else "accounts.deactivated", {}
        if not is_active:
            Account.objects.filter(pk=account.pk).update(sessions_ended=F("sessions_ended") + 1)
            live = ApiToken.objects.filter(account=account, revoked_at__isnull=True)
            after["tokens_revoked"] = live.update(revoked_at=Now())
        record(actor=actor, action=action, target=account, after=after, reason=reason)
        emit(action, account)
    return account


@command
def change_account(
    *,
    actor: Actor,
    account: Account,
    is_active: bool | None = None,
    roles: Iterable[str] | None = None,
    reason: str = "",
) -> Account:
    """Set roles and state as one change: all of it happens or nothing."""
    _require(actor, "administer", "change accounts")
    reason = checked_text(reason, "reason", 1000, multiline=True)
    held = set(account.groups.filter(name__in=ROLES).values_list("name", flat=True))
    wanted = held if roles is None else {_role(role).name for role in roles}
    for role in sorted(wanted - held):
        give_role(actor=actor, account=account, role=role, reason=reason)
    for role in sorted(held - wanted):
        take_role(actor=actor, account=account, role=role, reason=reason)
    if is_active is not None:
        set_active(actor=actor, account=account, is_active=is_active, reason=reason)
    return account


@command
def change_password(*, actor: Actor, account: Account, password: str) -> None:
    """Set a password: one's own, or anybody's for an admin. Other sessions end."""
    if actor.via == "token":
        raise NotAllowed(
            "A token cannot set passwords; sign in with the browser.", code="interactive_required"
        )
    if actor.account_id != account.pk or not (actor.is_interactive or actor.is_system):
        _require(actor, "administer", "set other people's passwords")
    _check_password(password, account)
    account.set_password(password)
    account.save(update_fields=["password"])
    record(actor=actor, action="accounts.password_changed", target=account)


@command
def issue_token(
    *,
    actor: Actor,
    account: Account,
    name: str,
    scopes: Iterable[str],
    lifetime: timedelta = timedelta(days=90),
    purpose: str = "personal",
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is shown this once. A token never issues tokens."""
    _require_may_issue(actor, account)
    scopes = _checked_scopes(scopes)
    if not timedelta(0) < lifetime <= LONGEST_TOKEN:
        raise Invalid(
            "A token lives at least a moment and at most 366 days.", field="days", allowed="1 to 366"
        )
    secret = tokens.new_secret()
    token = ApiToken.objects.create(
        account=account,
        name=checked_text(name, "name", 100, min_length=1),
        prefix=secret[:10],
        secret_sha256=tokens.sha256_of(secret),
        scopes=scopes,
        purpose=purpose,
        expires_at=timezone.now() + lifetime,
    )
    after = {
        "name": token.name,
        "scopes": scopes,
        "expires_at": token.expires_at.isoformat(),
        "account": account.username,
    }
    record(actor=actor, action="accounts.token_issued", target=token, after=after)
    return token, secret


def _require_may_issue(actor: Actor, account: Account) -> None:
    if actor.via == "token":
        raise NotAllowed(
            "A token cannot issue tokens; sign in with the browser.", code="interactive_required"
        )
    if actor.account_id == account.pk:
        return
    _require(actor, "administer", "issue tokens for others")
    if not actor.is_system and account.person.kind != Person.Kind.SERVICE:
        # Whoever holds it acts in that person's name, and would sign nothing of their own.
        raise NotAllowed(
            f"Only {account} issues tokens of {account}; admins issue those of services.",
            code="not_a_service",
        )


def _checked_scopes(scopes: Iterable[str]) -> list[str]:
    asked, known = sorted(set(scopes)), [EVERY_SCOPE, *sorted(RIGHTS)]
    if not asked or not set(asked) <= set(known):
        allowed = ", ".join(known)
        raise Invalid(f"scope must be one or more of: {allowed}.", field="scopes", allowed=allowed)
    return asked


@command
def revoke_token(*, actor: Actor, token: ApiToken) -> ApiToken:
    """End a token at once: one's own, or anybody's for an admin."""
    if actor.account_id != token.account_id:
        _require(actor, "administer", "revoke other people's tokens")
    if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=Now()):
        record(actor=actor, action="accounts.token_revoked", target=token)
    token.refresh_from_db()
    return token


@command
def set_preferences(*, actor: Actor, account: Account, time_zone: str) -> Account:
    """A person's own settings."""
    if actor.account_id != account.pk:
        raise NotAllowed("Only you can change your own settings.")
    account.time_zone = time_zone
    account.save(update_fields=["time_zone"])
    record(actor=actor, action="accounts.preferences_changed", target=account, after={"time_zone": time_zone})
    return account


@command
def note_sign_in(*, actor: Actor, account: Account | None, succeeded: bool) -> None:
    """Sign-ins are reads that matter: both kinds are events."""
    outcome = "ok" if succeeded else "denied"
    action = "accounts.signed_in" if succeeded else "accounts.sign_in_refused"
    record(actor=actor, action=action, target=account, outcome=outcome)


def _require(actor: Actor, right: str, what: str) -> None:
    if not holds(actor, right):
        raise NotAllowed(f"You may not {what}; it needs the right to {right}, which the role admin has.")


def _one_change_of_admins_at_a_time() -> None:
    """Two admins who shut each other out at once would leave none: the second waits and looks again."""
    Group.objects.select_for_update().filter(name="admin").first()


def _role(role: str) -> Group:
    name = SYNONYMS.get(role, role)
    if name not in ROLES:
        allowed = ", ".join(sorted(ROLES))
        raise Invalid(f"role must be one of: {allowed}.", field="role", allowed=allowed)
    return Group.objects.get_or_create(name=name)[0]


def _check_password(password: str, account: Account | None = None) -> None:
    if any(unicodedata.category(each) in {"Cc", "Cs"} for each in password):
        raise Invalid(
            "The password holds a control character or bytes that are not UTF-8 text; use printable characters.",
            field="password",
            allowed="12 or more printable characters",
        )
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), field="password", allowed="12 or more characters") from error
