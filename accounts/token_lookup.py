"""From a token to an Actor in one statement, and without Django: web and edge ask the same way."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from accounts.roles import rights_of
from core.actors import Actor

REFUSED = "The token is unknown, expired or revoked."

# Neither revoked nor expired, of an active account, by the database's clock.
FIND_LIVE = """
SELECT token.id, ARRAY(SELECT jsonb_array_elements_text(token.scopes)), account.id, account.username, account.person_id, person.kind,
       ARRAY(SELECT member.group_id FROM accounts_membership member
             WHERE member.account_id = account.id ORDER BY member.group_id),
       ARRAY(SELECT role.name FROM accounts_membership member JOIN auth_group role ON role.id = member.group_id
             WHERE member.account_id = account.id ORDER BY member.group_id),
       token.last_used_at IS NULL OR token.last_used_at < now() - interval '5 minutes'
FROM accounts_apitoken token
JOIN accounts_account account ON account.id = token.account_id
JOIN accounts_person person ON person.id = account.person_id
WHERE token.secret_sha256 = %s AND token.revoked_at IS NULL AND token.expires_at > now() AND account.is_active
"""
# The same row, and behind it the one value of another statement; that one's parameters come first.
FIND_LIVE_AND = f"SELECT live.*, ({{statement}}) FROM ({FIND_LIVE}) live"  # noqa: S608 - constants
# Coarse on purpose: a busy token does not write with every request.
NOTE_USE = """
UPDATE accounts_apitoken SET last_used_at = now()
WHERE id = %s AND (last_used_at IS NULL OR last_used_at < now() - interval '5 minutes')
"""


def secret_from_header(header: str) -> str | None:
    """The secret in ``Authorization``: bearer, or basic with the token as the password."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        _, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:  # no base64, or no text in it
        return ""
    return password


def actor_of(row: Sequence[Any], *, request_id: str = "", address: str = "", user_agent: str = "") -> Actor:
    """The actor a row of FIND_LIVE describes."""
    token_id, scopes, account_id, username, person_id, kind, group_ids, roles, _ = row
    return Actor(
        account_id=account_id,
        account_name=username,
        person_id=person_id,
        kind=kind,
        via="token",
        rights=rights_of(frozenset(roles)),
        roles=frozenset(roles),
        group_ids=tuple(group_ids),
        scopes=frozenset(scopes),
        token_id=token_id,
        request_id=request_id,
        address=address,
        user_agent=user_agent,
    )


def is_use_worth_noting(row: Sequence[Any]) -> bool:
    """Whether the token's last use is unknown or older than the precision kept."""
    return bool(row[-1])
