"""Who a grant is for, by the names people write; only for those who may give one."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group

from accounts.models import Account
from core.errors import Invalid


def named_holder(account: str | None, group: str | None) -> dict[str, Any]:
    """The account and the group of these names; ask the caller's right first, since this tells who is here."""
    found: dict[str, Any] = {"account": None, "group": None}
    if account:
        found["account"] = Account.objects.filter(username__iexact=_known(account)).first()
        _require(found["account"], "account", account)
    if group:
        found["group"] = Group.objects.filter(name=_known(group)).first()
        _require(found["group"], "group", group)
    return found


def _known(name: str) -> str:
    return name.replace("\x00", " ")


def _require(found: Any, kind: str, name: str) -> None:
    if found is None:
        words = f"There is no {kind} named {_known(name)[:150]!r}."
        raise Invalid(words, field=kind, allowed=f"the name of a {kind}".replace("a account", "an account"))
