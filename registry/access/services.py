"""Granting rights on one registered model to people and groups, and taking them back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.utils import timezone

from accounts.grants import permission_for
from accounts.holders import named_holder
from accounts.models import Account
from audit.services import command, record
from core.actors import Actor, holds
from core.errors import Invalid, NotAllowed, NotFound
from core.hot_reads import fetch_row
from core.text import checked_text
from registry.access.models import ModelAccountGrant, ModelGroupGrant
from registry.locks import locked_model
from registry.models import RegisteredModel

GRANTED_TO_CREATORS = ("view", "view_predictions", "register", "propose", "administer")
GRANTABLE = tuple(codename for codename, _ in RegisteredModel._meta.permissions)
# Whoever gives rights must not thereby decide or deploy alone.
NEVER_TO_ONESELF = frozenset({"approve", "deploy", "roll_back"})
Grant = ModelAccountGrant | ModelGroupGrant


@command
def grant(
    *,
    actor: Actor,
    model: RegisteredModel,
    right: str,
    reason: str,
    account: Account | None = None,
    group: Group | None = None,
    expires_at: datetime | None = None,
) -> Grant:
    """Give a person or a group a right on a model; any right comes with sight of the model."""
    holder = _holder(account, group)
    _require(actor, model, "grant rights on")
    right, reason = _checked_right(right), checked_text(reason, "reason", 1000, min_length=1, multiline=True)
    _refuse_oneself(actor, right, account, group)
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("expires_at must be in the future.", field="expires_at", allowed="a time to come")
    if account is not None and not account.is_active:
        raise Invalid(f"{account} is deactivated.", field="account", allowed="an active account")
    row = locked_model(model)
    given = _give(actor, row, right, account, group, reason, expires_at)
    if right != "view":
        _give(actor, row, "view", account, group, reason, expires_at, keep=True)
    after = {"right": right, **_to_ledger(holder)}
    if expires_at is not None:
        after["expires_at"] = expires_at.isoformat()
    record(actor=actor, action="registry.right_granted", target=row, after=after, reason=reason)
    return given


@command
def revoke(
    *,
    actor: Actor,
    model: RegisteredModel,
    right: str,
    reason: str,
    account: Account | None = None,
    group: Group | None = None,
) -> None:
    """Take a right on a model back; taking sight away takes every right away."""
    holder = _holder(account, group)
    _require(actor, model, "revoke rights on")
    right, reason = _checked_right(right), checked_text(reason, "reason", 1000, min_length=1, multiline=True)
    row = locked_model(model)
    held = _grants(row, account, group)
    if not held.filter(permission__codename=right).exists():
        raise NotFound(f"{holder} has no grant of {right} on {row}.")
    taken = sorted(held.values_list("permission__codename", flat=True)) if right == "view" else [right]
    held.filter(permission__codename__in=taken).delete()
    before = {"rights": taken, **_to_ledger(holder)}
    record(actor=actor, action="registry.right_revoked", target=row, before=before, reason=reason)


@command
def find_holder(
    *, actor: Actor, model: RegisteredModel, account: str | None = None, group: str | None = None
) -> dict[str, Any]:
    """Who a grant is for; only administrators of the model learn which names there are."""
    _require(actor, model, "grant rights on")
    return named_holder(account, group)


# One row per right whose permission Django has made, and how many those were.
GIVE_CREATOR = """WITH given AS (
 INSERT INTO registry_access_modelaccountgrant
  (content_object_id, permission_id, user_id, granted_by_id, granted_at, reason)
 SELECT %(model)s, permission.id, %(account)s, %(account)s, statement_timestamp(), 'Created the model.'
 FROM auth_permission permission JOIN django_content_type kind ON kind.id = permission.content_type_id
 WHERE kind.app_label = 'registry' AND kind.model = 'registeredmodel' AND permission.codename = ANY(%(rights)s)
 ON CONFLICT DO NOTHING RETURNING 1) SELECT count(*) FROM given"""


def give_creator_rights(actor: Actor, model: RegisteredModel) -> None:
    """Part of creating a model, whose event says who created it."""
    if actor.account_id is None:
        return
    asked = {"model": model.pk, "account": actor.account_id, "rights": list(GRANTED_TO_CREATORS)}
    if fetch_row(GIVE_CREATOR, asked) == (len(GRANTED_TO_CREATORS),):
        return
    for right in GRANTED_TO_CREATORS:
        permission_for(RegisteredModel, right)  # makes the one that was missing
    fetch_row(GIVE_CREATOR, asked)


def _give(
    actor: Actor,
    model: RegisteredModel,
    right: str,
    account: Account | None,
    group: Group | None,
    reason: str,
    expires_at: datetime | None,
    keep: bool = False,
) -> Grant:
    kind = ModelAccountGrant if account is not None else ModelGroupGrant
    about = {
        "granted_by_id": actor.account_id,
        "reason": reason,
        "expires_at": expires_at,
        "granted_at": timezone.now(),
    }
    where: dict[str, Any] = {
        "content_object": model,
        "permission": permission_for(RegisteredModel, right),
        **({"user": account} if account is not None else {"group": group}),
    }
    known = kind.objects.filter(**where).first()
    if known is None:
        return kind.objects.create(**where, **about)
    lasts_as_long = known.expires_at is None or (expires_at is not None and known.expires_at >= expires_at)
    if not (keep and lasts_as_long):
        kind.objects.filter(pk=known.pk).update(**about)
        known.refresh_from_db()
    return known


def _grants(
    model: RegisteredModel, account: Account | None, group: Group | None
) -> QuerySet[ModelAccountGrant] | QuerySet[ModelGroupGrant]:
    if account is not None:
        return ModelAccountGrant.objects.filter(content_object=model, user=account)
    return ModelGroupGrant.objects.filter(content_object=model, group=group)


def _holder(account: Account | None, group: Group | None) -> Account | Group:
    if (account is None) == (group is None):
        raise Invalid(
            "Name either an account or a group.", field="account", allowed="an account or a group, not both"
        )
    holder = account or group
    assert holder is not None
    return holder


def _to_ledger(holder: Account | Group) -> dict[str, str]:
    """Groups by name; people by id only, so that the ledger holds no name of theirs in clear."""
    if isinstance(holder, Group):
        return {"group": holder.name}
    return {"account_id": str(holder.pk), "person_id": str(holder.person_id)}


def _checked_right(right: str) -> str:
    if right not in GRANTABLE:
        allowed = ", ".join(GRANTABLE)
        raise Invalid(f"right must be one of: {allowed}.", field="right", allowed=allowed)
    return right


def _refuse_oneself(actor: Actor, right: str, account: Account | None, group: Group | None) -> None:
    if actor.is_system or right not in NEVER_TO_ONESELF:
        return
    own = account is not None and account.person_id == actor.person_id
    if group is not None:
        own = Account.objects.filter(person=actor.person_id, groups=group).exists()
    if own:
        raise NotAllowed(
            f"Nobody grants {right} to themselves or to a group they are in; ask another administrator.",
            code="self_grant",
        )


def _require(actor: Actor, model: RegisteredModel, what: str) -> None:
    if not holds(actor, "administer", model):
        raise NotAllowed(f"You may not {what} {model}; it needs the right to administer.")
