"""Building the Actor: the only place where an account becomes somebody who acts."""

from typing import Any

from accounts.models import Account
from accounts.roles import rights_of
from core.actors import Actor


def actor_for(account: Account, *, via: str = "session", **about: Any) -> Actor:
    """The actor behind an account, with the roles it has at this moment."""
    groups = list(account.groups.values_list("id", "name"))
    roles = frozenset(name for _, name in groups)
    return Actor(
        account_id=account.pk,
        account_name=account.username,
        person_id=account.person_id,
        kind=account.person.kind,
        via=via,
        rights=rights_of(roles),
        roles=roles,
        group_ids=tuple(pk for pk, _ in groups),
        is_active=account.is_active,
        **about,
    )
