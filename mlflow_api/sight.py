"""The registry's one predicate of what an actor may see, as SQL for the few hot reads.

It is compiled from ``RegisteredModel.objects.visible_to`` once per shape of actor (everything by
role, or by grants and so many groups), never spelled a second time.
"""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any

from core.actors import Actor
from registry.models import RegisteredModel

_PERSON = uuid.UUID("00000000-0000-7000-8000-000000000001")
MOST_GROUPS = 32


def visible_ids(actor: Actor) -> tuple[str, list[Any]]:
    """A subquery of the ids of the models the actor may see, and its parameters."""
    sees_all = actor.holds_everywhere("view")
    count = 0 if sees_all else len(actor.group_ids)
    if count > MOST_GROUPS:
        return _compiled(RegisteredModel.objects.visible_to(actor))
    sql, pattern = _template(sees_all, count)
    stands_for = {
        _PERSON: actor.person_id,
        **{-1 - place: group for place, group in enumerate(actor.group_ids)},
    }
    return sql, [stands_for.get(each, each) if not isinstance(each, bool) else each for each in pattern]


@cache
def _template(sees_all: bool, groups: int) -> tuple[str, list[Any]]:
    """The predicate for an actor of this shape, with stand-ins where the actor's own ids go."""
    somebody = Actor(
        account_id=_PERSON,
        account_name="",
        person_id=_PERSON,
        rights=frozenset({"view"} if sees_all else ()),
        group_ids=tuple(-1 - place for place in range(groups)),
    )
    return _compiled(RegisteredModel.objects.visible_to(somebody))


def _compiled(models: Any) -> tuple[str, list[Any]]:
    sql, parameters = models.order_by().values("pk").query.sql_with_params()
    return sql, list(parameters)
