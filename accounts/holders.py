"""Accounts and groups by name; asked for only by those who may give them something."""

from __future__ import annotations

from typing import TypedDict

from django.contrib.auth.models import Group

from accounts.models import Account
from core.errors import Invalid


class Holder(TypedDict):
    account: Account | None
    group: Group | None


def named_holder(account: str | None = None, group: str | None = None) -> Holder:
    """Who these names stand for; one that is nobody's is Invalid."""
    found: Holder = {"account": None, "group": None}
    if account is not None:
        found["account"] = Account.objects.filter(username__iexact=account).first()
        if found["account"] is None:
            raise _unknown("account", account)
    if group is not None:
        found["group"] = Group.objects.filter(name=group).first()
        if found["group"] is None:
            raise _unknown("group", group)
    return found


def _unknown(field: str, name: str) -> Invalid:
    return Invalid(
        f"There is no {field} named {name[:150]!r}.", field=field, allowed=f"the name of one {field}"
    )
