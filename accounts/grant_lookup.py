# ruff: noqa: S608 - what is put together are names of tables; every value is bound
"""From an actor to what was granted to them, as SQL and without Django: web and edge ask the same way.

Two statements of one rule, since no single one is fast for everybody: whoever holds a hundred
thousand grants has each row in question probed, and whoever holds three has those three listed.
Listed, the owner of 100,000 models read one by its name in 85 ms, probed in 0.8; probed, a list
took a stranger 860 ms and takes 0.1 listed (measured).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.actors import Actor

# From here on rows are probed. A list of so many is read in about a millisecond.
MANY = 1000

LIVE = "(g.expires_at IS NULL OR g.expires_at > statement_timestamp())"
PERMISSION = """(SELECT p.id FROM auth_permission p JOIN django_content_type t ON t.id = p.content_type_id
    WHERE p.codename = %s AND t.app_label = '{app}' AND t.model = '{model}')"""
# A grant to one account of a person counts for all of them; those to inactive ones for nobody.
ACCOUNTS = "SELECT a.id FROM accounts_account a WHERE a.person_id = %s AND a.is_active"


@dataclass(frozen=True)
class GrantTables:
    """Where the grants on one kind of object are: to accounts, and to groups."""

    to_accounts: str
    to_groups: str
    app: str
    model: str

    @property
    def permission(self) -> str:
        return PERMISSION.format(app=self.app, model=self.model)

    def probed(self, row: str, permission: str = "") -> str:
        """A condition that looks up one row's grants; as a union it is never hashed for all rows.

        ``permission`` is the text of its id, where that is known: planned in half the time.
        """
        permission = permission or self.permission
        return f"""EXISTS (SELECT 1 FROM {self.to_accounts} g WHERE g.content_object_id = {row}
  AND g.permission_id = {permission} AND g.user_id = ANY(ARRAY({ACCOUNTS})) AND {LIVE}
  UNION ALL SELECT 1 FROM {self.to_groups} g WHERE g.content_object_id = {row}
  AND g.permission_id = {permission} AND g.group_id = ANY(%s::int[]) AND {LIVE})"""

    def listed(self, row: str, permission: str) -> str:
        """The same condition by the list of all grants; their order keeps the planner to the index.

        Without it one owner of nearly all grants makes every other holder look like them.
        """
        return f"""{row} = ANY(ARRAY(SELECT own.id FROM accounts_account a CROSS JOIN LATERAL (
  SELECT g.content_object_id AS id FROM {self.to_accounts} g WHERE g.permission_id = {permission}
  AND g.user_id = a.id AND {LIVE} ORDER BY g.content_object_id) own WHERE a.person_id = %s AND a.is_active
  UNION ALL SELECT of_group.id FROM (SELECT {permission} AS id) right_ CROSS JOIN unnest(%s::int[]) AS member(id)
  CROSS JOIN LATERAL (SELECT g.content_object_id AS id FROM {self.to_groups} g WHERE g.permission_id = right_.id
  AND g.group_id = member.id AND {LIVE} ORDER BY g.content_object_id) of_group))"""

    @property
    def counted(self) -> str:
        """The right's permission, and how many grants there are, expired ones too, up to ``MANY`` of each holder."""
        return f"""SELECT {self.permission}, count(*) FROM (SELECT 1 FROM accounts_account a CROSS JOIN LATERAL (
  SELECT 1 FROM {self.to_accounts} g WHERE g.permission_id = {self.permission} AND g.user_id = a.id
  ORDER BY g.content_object_id LIMIT {MANY}) own WHERE a.person_id = %s AND a.is_active
  UNION ALL SELECT 1 FROM (SELECT {self.permission} AS id) right_ CROSS JOIN unnest(%s::int[]) AS member(id)
  CROSS JOIN LATERAL (SELECT 1 FROM {self.to_groups} g WHERE g.permission_id = right_.id AND g.group_id = member.id
  ORDER BY g.content_object_id LIMIT {MANY}) of_group) granted"""


def parameters(actor: Actor, right: str | int | None) -> list[Any]:
    """What each text binds: the right by its name, or by its permission where the text asks for that."""
    return [right, actor.person_id, right, list(actor.group_ids)]


def can_hold_grants(actor: Actor, right: str) -> bool:
    """Whether a grant could give the actor this right at all."""
    return actor.is_active and actor.scope_allows(right)
