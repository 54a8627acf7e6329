"""The registry's one predicate of what an actor may see, as SQL for the few hot reads.

The texts are those ``RegisteredModel.objects.visible_to`` puts into its queries. Needs no Django.
"""

from __future__ import annotations

from typing import Any

from accounts.grant_lookup import GrantTables, can_hold_grants, parameters
from core.actors import Actor

MODEL_GRANTS = GrantTables(
    "registry_access_modelaccountgrant", "registry_access_modelgroupgrant", "registry", "registeredmodel"
)
_GRANTED = MODEL_GRANTS.probed("m.id")
# Around a search of models: what is sorted is held against the grants row by row, until a page is full.
# As a condition inside, each of thousands of rows with a tag is probed before any is sorted.
SEEN_LATE = (
    f"SELECT * FROM ({{search}} OFFSET 0) sorted WHERE {MODEL_GRANTS.probed('sorted.pk', '%s::int')} LIMIT %s"  # noqa: S608
)


def sight(actor: Actor) -> tuple[str, list[Any]]:
    """A condition on the model ``m``, and its parameters: for reads that find their row by a key."""
    if actor.holds_everywhere("view"):
        return "TRUE", []
    if not can_hold_grants(actor, "view"):
        return "FALSE", []
    return _GRANTED, parameters(actor, "view")
