"""The rights that grants give an actor on one registered model, as part of a larger statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.actors import Actor

# ``accounts.grants.is_granted`` for every right at once; a test holds the two against each other.
HELD = """ARRAY(
 SELECT permission.codename::text FROM registry_access_modelaccountgrant own
  JOIN accounts_account account ON account.id = own.user_id AND account.is_active
  JOIN auth_permission permission ON permission.id = own.permission_id
  WHERE own.content_object_id = m.id AND account.person_id = %s
   AND (own.expires_at IS NULL OR own.expires_at > statement_timestamp())
 UNION ALL SELECT permission.codename::text FROM registry_access_modelgroupgrant of_group
  JOIN auth_permission permission ON permission.id = of_group.permission_id
  WHERE of_group.content_object_id = m.id AND of_group.group_id = ANY(%s)
   AND (of_group.expires_at IS NULL OR of_group.expires_at > statement_timestamp()))"""


def parameters(actor: Actor) -> list[Any]:
    return [actor.person_id, list(actor.group_ids)]


@dataclass(frozen=True)
class Held:
    """What one actor was found to hold on a model by grants, in the transaction that locked it."""

    actor: Actor
    rights: frozenset[str]

    def gives(self, right: str) -> bool:
        """Nothing to who is inactive or whose token's scope leaves the right out."""
        return self.actor.is_active and self.actor.scope_allows(right) and right in self.rights
