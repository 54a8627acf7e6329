"""Changes to groups and to who is in them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group

from accounts.grants import kinds_of_group_grants
from accounts.groups.teams import grant_counts, grants_to
from accounts.models import Account, Membership
from accounts.roles import INSTALLATION, ROLES, SYNONYMS
from audit.services import command, record
from core.actors import Actor, holds
from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.looks import taken_for, with_one_separator
from core.text import checked_text

NAME = "a name of 1 to 63 letters, digits, '.', '-' and '_' that begins with a letter or digit"
# So many grants of each kind are named in the event of a deletion; their number is always there.
NAMED_IN_EVENT = 100


@command
def create_group(*, actor: Actor, name: str, reason: str = "") -> Group:
    """A group without members and without rights."""
    _require(actor, "create groups")
    name, reason = _free_name(name), _checked_reason(reason)
    group = Group.objects.create(name=name)
    record(actor=actor, action="accounts.group_created", target=group, after={"name": name}, reason=reason)
    return group


@command
def rename_group(*, actor: Actor, group: Group, name: str, reason: str = "") -> Group:
    """Members and grants stay."""
    _require(actor, "rename groups")
    row = _locked(group)
    name, before, reason = _free_name(name, but=row), row.name, _checked_reason(reason)
    if name == before:
        return row
    row.name = name
    row.save(update_fields=["name"])
    record(
        actor=actor,
        action="accounts.group_renamed",
        target=row,
        before={"name": before},
        after={"name": name},
        reason=reason,
    )
    return row


@command
def delete_group(*, actor: Actor, group: Group, reason: str = "") -> None:
    """Its grants go with it; the event keeps what they were."""
    _require(actor, "delete groups")
    row, reason = _locked(group), _checked_reason(reason)
    members = Membership.objects.filter(group=row)
    before = {
        "name": row.name,
        "account_ids": [str(each) for each in members.values_list("account_id", flat=True)[:NAMED_IN_EVENT]],
        "member_count": members.count(),
        "grant_counts": grant_counts(row),
        "grants": _named_grants(row),
    }
    record(actor=actor, action="accounts.group_deleted", target=row, before=before, reason=reason)
    members.delete()
    row.delete()


@command
def add_member(*, actor: Actor, group: Group, account_name: str, reason: str = "") -> Membership:
    """Whatever was granted to the group is then granted to the person. Nobody adds themselves."""
    # By name, since only who may add somebody may learn whether there is such an account.
    _require(actor, "add people to groups")
    row, reason, account = _locked(group), _checked_reason(reason), _named_account(account_name)
    if not actor.is_system and actor.person_id == account.person_id:
        raise NotAllowed(
            "Nobody adds themselves to a group; ask another admin.", code="self_grant", field="account"
        )
    if not account.is_active:
        raise Invalid(f"{account} is deactivated.", field="account", allowed="an active account")
    member, is_new = Membership.objects.get_or_create(
        account=account, group=row, defaults={"given_by_id": actor.account_id}
    )
    if is_new:
        after = {"group": row.name, **_to_ledger(account)}
        record(actor=actor, action="accounts.member_added", target=row, after=after, reason=reason)
    return member


@command
def remove_member(*, actor: Actor, group: Group, account: Account, reason: str = "") -> None:
    """Ends with the next request what the group gave."""
    _require(actor, "remove people from groups")
    row, reason = _locked(group), _checked_reason(reason)
    if not Membership.objects.filter(account=account, group=row).delete()[0]:
        raise NotFound(f"{account} is not in {row.name}.")
    before = {"group": row.name, **_to_ledger(account)}
    record(actor=actor, action="accounts.member_removed", target=row, before=before, reason=reason)


def _require(actor: Actor, what: str) -> None:
    if not holds(actor, "administer"):
        raise NotAllowed(f"You may not {what}; it needs the right to administer, which the role admin has.")


def _locked(group: Group) -> Group:
    row = Group.objects.select_for_update().filter(pk=group.pk).exclude(name__in=ROLES).first()
    if row is None:
        raise NotFound(f"There is no group named {group.name!r}.")
    return row


def _free_name(name: str, but: Group | None = None) -> str:
    """The name as it is kept; whatever their case, two groups never share one."""
    name = checked_text(name, "name", 63, min_length=1, normalise="NFKC")
    if not name[0].isalnum() or not all(each.isalnum() or each in ".-_" for each in name):
        raise Invalid(f"name must be {NAME}.", field="name", allowed=NAME)
    if name.casefold() in ROLES or name.casefold() in SYNONYMS:
        raise Conflict(f"{name} is a role, so no group can have that name.", code="name_taken", field="name")
    # Every naming waits here for the one before it, since the table knows only exact names.
    Group.objects.select_for_update().filter(name="admin").first()
    if Group.objects.filter(name__iexact=name).exclude(pk=but.pk if but else None).exists():
        raise Conflict(f"There is a group named {name} already.", code="name_taken", field="name")
    others = Group.objects.exclude(pk=but.pk if but else None).values_list("name", flat=True)
    if other := taken_for(name, [*others, *ROLES]) or taken_for(with_one_separator(name, ""), INSTALLATION):
        raise Conflict(f"{name} could be taken for {other}, which there is.", code="name_taken", field="name")
    return name


def _named_account(name: str) -> Account:
    account = None if "\x00" in name else Account.objects.filter(username__iexact=name).first()
    if account is None:
        raise Invalid(
            f"There is no account named {name[:150].replace(chr(0), ' ')}.",
            field="account",
            allowed="the name of an account",
        )
    return account


def _checked_reason(reason: str) -> str:
    return checked_text(reason, "reason", 1000, multiline=True)


def _named_grants(group: Group) -> list[str]:
    return [
        f"{grant.permission.codename} on {word} {grant.content_object}"
        for word, kind in kinds_of_group_grants().items()
        for grant in grants_to(group, kind)[:NAMED_IN_EVENT]
    ]


def _to_ledger(account: Account) -> dict[str, Any]:
    """By id only, so that the ledger holds no name of theirs in clear."""
    return {"account_id": str(account.pk), "person_id": str(account.person_id)}
