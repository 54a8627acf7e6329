"""From filters, orders and page tokens to one statement: bound values, listed columns, keyset pages.

The ORM makes the statement of each shape of search once (a shape is a search without its texts):
to make it anew took two thirds of web's CPU for a search (measured).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from cachetools import LRUCache
from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import OperationalError
from django.db.models import F, Q, QuerySet, Subquery
from psycopg.errors import QueryCanceled

from accounts.grant_lookup import can_hold_grants, parameters
from accounts.grants import holding
from core.actors import Actor
from core.errors import Invalid
from core.limited_reads import fetch_planned_anew, fetch_prepared
from mlflow_api.conditions import PROMPT, begins, condition, names_one_model, tagged
from mlflow_api.filters import Comparison, parse
from mlflow_api.page_tokens import after, position_of, token_of
from mlflow_api.sight import MODEL_GRANTS, SEEN_LATE
from mlflow_api.surfaces import MODELS, Surface
from registry.models import RegisteredModel
from registry.names import normal_name

_kept_statements: LRUCache[Any, Statement] = LRUCache(128)
_kept_lock = Lock()
EXACT = {"=", "!=", "IN", "NOT IN"}
ORDER = re.compile(
    r"^\s*(?:attribute\.)?[`\"]?(?P<field>\w+)[`\"]?(?:\s+(?P<way>asc|desc))?\s*$", re.IGNORECASE
)


@dataclass(frozen=True)
class Page:
    """One page as JSON texts in order, and the token of the next."""

    entries: Sequence[str]
    next_token: str


class Slot(str):
    """A text of a search. The ORM hands it on to what is bound as it is, so that it is found there."""

    __slots__ = ()


@dataclass(frozen=True)
class Search:
    """What is asked, its texts as slots. Only where every value is a text is its statement kept."""

    surface: Surface
    actor: Actor
    comparisons: tuple[Comparison, ...]
    order: tuple[tuple[str, bool], ...]
    position: tuple[Any, ...]
    size: int

    @property
    def texts(self) -> list[Any]:
        return [*(each.value for each in self.comparisons), *self.position]

    def has_a_shape(self) -> bool:
        return all(isinstance(each, Slot) for each in self.texts) and not self.asks_for_prompts()

    def asks_for_prompts(self) -> bool:
        """Then the value says what is asked: models that are no prompts have no such tag."""
        return any(each.kind == "tag" and each.key == PROMPT for each in self.comparisons)

    def is_found_by_key_or_order(self) -> bool:
        """Whether one plan is the best one for any value: nothing depends on how frequent a value is."""
        if len(self.comparisons) == 1:
            return self.names_one_model() or self.begins_in_order()
        return not self.comparisons

    def begins_in_order(self) -> bool:
        """A range of names, in the order of names."""
        return self.order[0] == ("name", False) and any(
            begins(self.surface, each) for each in self.comparisons
        )

    def names_one_model(self) -> bool:
        return names_one_model(self.surface, self.comparisons)


@dataclass(frozen=True)
class Statement:
    """A search's SQL; what it binds are constants, and places of the search's texts."""

    sql: str
    bound: tuple[tuple[bool, Any], ...]

    def binds_each_of(self, texts: int) -> bool:
        """Whether each text was found; one that was not is in it as a constant, so that it serves only once."""
        return {value for is_place, value in self.bound if is_place} == set(range(texts))

    def with_texts(self, texts: Sequence[Any]) -> list[Any]:
        return [texts[value] if is_place else value for is_place, value in self.bound]


def search(
    surface: Surface, actor: Actor, *, text: str, order_by: Sequence[str], token: str, size: int
) -> Page:
    """One page of what the actor may see and the filter lets through."""
    comparisons = tuple(map(_as_stored, parse(text)))
    order = _order(surface, order_by, one_model=names_one_model(surface, comparisons))
    # A token belongs to its search: the same filter, order and kind of thing.
    search_key = hashlib.sha256(repr((surface.rows.__name__, text, order)).encode()).hexdigest()[:16]
    position = tuple(map(_as_slot, position_of(token, search_key, len(order)))) if token else ()
    asked = Search(surface, actor, comparisons, order, position, size)
    try:
        statement = _kept(asked) if asked.has_a_shape() else _statement(asked)
    except EmptyResultSet:  # such as of a number no version can have
        return Page((), "")
    rows = _within_time(asked, statement)
    rows.sort()  # by place
    more = len(rows) > size
    next_token = token_of(search_key, rows[size - 1][2:-1]) if more else ""
    return Page([row[-1] for row in rows[:size]], next_token)


def _as_stored(comparison: Comparison) -> Comparison:
    value = comparison.value
    if comparison.kind == "attribute" and comparison.key == "name" and comparison.operator in EXACT:
        if isinstance(value, tuple):
            value = tuple(map(normal_name, value))
        elif isinstance(value, str):
            value = normal_name(value)
    return replace(comparison, value=_as_slot(value))


def _as_slot(value: Any) -> Any:
    return Slot(value) if isinstance(value, str) else value


def _shape(asked: Search) -> Hashable:
    """All that the text of the statement and its constants depend on."""
    compared = tuple(
        (each.kind, each.key, each.operator, begins(asked.surface, each)) for each in asked.comparisons
    )
    is_later_page = bool(asked.position)
    return asked.surface.rows, compared, asked.order, is_later_page, asked.size, _sight_of(asked.actor)


def _sight_of(actor: Actor) -> tuple[Any, ...]:
    """What of an actor a statement says: who they are. What was granted to them it asks each time."""
    if actor.holds_everywhere("view"):
        return ("all",)
    if not can_hold_grants(actor, "view"):
        return ("none",)
    return (actor.person_id, tuple(actor.group_ids), *holding(actor, "view", MODEL_GRANTS))


def _statement(asked: Search) -> Statement:
    late = _seen_late(asked)
    found = _rows(
        asked, asked.surface.rows.objects.existing() if late else asked.surface.visible_to(asked.actor)
    )
    sql, bound = (found if late else found[: asked.size + 1]).query.sql_with_params()
    if late:
        sql, bound = SEEN_LATE.replace("{search}", sql), (*bound, *late, asked.size + 1)
    places = {id(value): place for place, value in enumerate(asked.texts) if isinstance(value, Slot)}
    return Statement(
        asked.surface.rendered.replace("{search}", sql),
        tuple((True, places[id(value)]) if id(value) in places else (False, value) for value in bound),
    )


def _kept(asked: Search) -> Statement:
    shape = _shape(asked)
    with _kept_lock:
        statement = _kept_statements.get(shape)
    if statement is None:
        statement = _statement(asked)
        if statement.binds_each_of(len(asked.texts)):
            with _kept_lock:
                _kept_statements[shape] = statement
    return statement


def _rows(asked: Search, found: QuerySet[Any]) -> QuerySet[Any]:
    for each in asked.comparisons:
        if names_one_model(asked.surface, [each]):
            found = found.filter(model_id=_visible_named(asked.actor, each.value))
        else:
            found = found.filter(condition(asked.surface, each))
    if asked.surface is MODELS and not asked.asks_for_prompts():
        found = found.exclude(tagged(asked.surface, PROMPT, Q(value="true")))
    if asked.position:
        found = found.filter(after(asked.order, asked.position))
    order = (F(column).desc() if down else F(column).asc() for column, down in asked.order)
    return found.order_by(*order).values("pk", *(column for column, _ in asked.order))


def _visible_named(actor: Actor, name: Any) -> Subquery:
    """The one model's id, found first: an index of its versions gives the page in order.

    To who may not see it nothing of it is read, so that no search tells by its time that it is there.
    """
    return Subquery(RegisteredModel.objects.visible_to(actor).filter(name=name).values("pk")[:1])


def _seen_late(asked: Search) -> list[Any]:
    """What ``SEEN_LATE`` binds, where a tag may find many models and the actor holds many; else nothing."""
    actor = asked.actor
    if asked.surface is not MODELS or not any(each.kind == "tag" for each in asked.comparisons):
        return []
    if actor.holds_everywhere("view") or not can_hold_grants(actor, "view"):
        return []
    permission, many = holding(actor, "view", MODEL_GRANTS)
    return parameters(actor, permission) if many else []


def _within_time(asked: Search, statement: Statement) -> list[Any]:
    """The rows; a search that takes too long is ended, and the client told not to try again."""
    seconds = settings.REGISTRY_SEARCH_SECONDS
    fetch = fetch_prepared if asked.is_found_by_key_or_order() else fetch_planned_anew
    try:
        return fetch(statement.sql, statement.with_texts(asked.texts), seconds)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise Invalid(
                f"The search took longer than {seconds:g} seconds; narrow it, such as by an exact name.",
                field="filter",
            ) from error
        raise


def _order(
    surface: Surface, order_by: Sequence[str], *, one_model: bool = False
) -> tuple[tuple[str, bool], ...]:
    """Columns with their direction (True is descending), ending in what tells any two rows apart."""
    order: list[tuple[str, bool]] = []
    for clause in order_by:
        match = ORDER.match(clause)
        column = surface.orders.get(match["field"]) if match else None
        if match is None or column is None:
            allowed = ", ".join(surface.orders)
            raise Invalid(
                f"order_by cannot be {clause[:100]!r}; it can be one of {allowed}, with ASC or DESC.",
                field="order_by",
                allowed=allowed,
            )
        if column in (known for known, _ in order):
            raise Invalid(f"order_by names {match['field']} twice.", field="order_by")
        order.append((column, (match["way"] or "").lower() == "desc"))
    order = order or list(surface.default_order)
    named = {column for column, _ in order} | ({"model__name"} if one_model else set())
    return (*order, *((column, down) for column, down in surface.ties if column not in named))
