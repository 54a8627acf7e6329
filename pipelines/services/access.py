"""Granting rights on one data set to people and groups, and taking them back."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group

from accounts.grants import permission_for
from accounts.models import Account
from audit.services import command, record
from core.actors import Actor
from core.errors import Invalid, NotAllowed
from core.text import checked_text
from pipelines import rights
from pipelines.models import Dataset, DatasetAccountGrant, DatasetGroupGrant

GRANTED_TO_CREATORS = ("view", "register", "administer")
GRANTABLE = tuple(codename for codename, _ in Dataset._meta.permissions)


@command
def grant(
    *,
    actor: Actor,
    dataset: Dataset,
    right: str,
    reason: str,
    account: Account | None = None,
    group: Group | None = None,
) -> None:
    """Give a person or a group a right on a data set; any right comes with sight of it."""
    kind, holder = _holder(account, group)
    _require(actor, dataset, "grant rights on")
    right, reason = _checked(right), checked_text(reason, "reason", 1000, min_length=1, multiline=True)
    for each in dict.fromkeys((right, "view")):
        kind.objects.get_or_create(
            **holder,
            content_object=dataset,
            permission=permission_for(Dataset, each),
            defaults={"granted_by_id": actor.account_id, "reason": reason},
        )
    after = {"right": right, "to": str(account or group)}
    record(actor=actor, action="pipelines.right_granted", target=dataset, after=after, reason=reason)


@command
def revoke(
    *,
    actor: Actor,
    dataset: Dataset,
    right: str,
    reason: str,
    account: Account | None = None,
    group: Group | None = None,
) -> None:
    """Take a right on a data set back; taking sight away takes every right away."""
    kind, holder = _holder(account, group)
    _require(actor, dataset, "revoke rights on")
    right, reason = _checked(right), checked_text(reason, "reason", 1000, min_length=1, multiline=True)
    held = kind.objects.filter(**holder, content_object=dataset)
    if right != "view":
        held = held.filter(permission__codename=right)
    taken = sorted(held.values_list("permission__codename", flat=True))
    if not taken:
        raise Invalid(f"{account or group} has no grant of {right} on {dataset}.", field="right")
    held.delete()
    before = {"rights": taken, "from": str(account or group)}
    record(actor=actor, action="pipelines.right_revoked", target=dataset, before=before, reason=reason)


def give_creator_rights(actor: Actor, dataset: Dataset) -> None:
    """Part of creating a data set, whose event says who created it."""
    if actor.account_id is None:
        return
    DatasetAccountGrant.objects.bulk_create(
        DatasetAccountGrant(
            user_id=actor.account_id,
            permission=permission_for(Dataset, right),
            content_object=dataset,
            granted_by_id=actor.account_id,
            reason="Created the data set.",
        )
        for right in GRANTED_TO_CREATORS
    )


def _holder(account: Account | None, group: Group | None) -> tuple[Any, dict[str, Any]]:
    if (account is None) == (group is None):
        raise Invalid(
            "Name either an account or a group.", field="account", allowed="an account or a group, not both"
        )
    if account is not None:
        return DatasetAccountGrant, {"user": account}
    return DatasetGroupGrant, {"group": group}


def _checked(right: str) -> str:
    if right not in GRANTABLE:
        allowed = ", ".join(GRANTABLE)
        raise Invalid(f"right must be one of: {allowed}.", field="right", allowed=allowed)
    return right


def _require(actor: Actor, dataset: Dataset, what: str) -> None:
    if not rights.may_administer(actor, dataset):
        raise NotAllowed(f"You may not {what} {dataset}; it needs the right to administer.")
