"""From filters, orders and page tokens to queries: bound values, listed columns, keyset pages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from psycopg.errors import QueryCanceled

from accounts.grant_lookup import can_hold_grants, parameters
from accounts.grants import holding
from core.actors import Actor
from core.errors import Invalid
from mlflow_api import patterns, statements
from mlflow_api.filters import Comparison, parse
from mlflow_api.sight import MODEL_GRANTS, SEEN_LATE
from registry.models import ModelTag, ModelVersion, RegisteredModel, VersionTag
from registry.names import normal_name

SALT = "mlflow_api.page"
PROMPT = "mlflow.prompt.is_prompt"
LARGEST_NUMBER = 2**31 - 1
PLANNED_FOR_A_PAGE = "SET LOCAL random_page_cost = 1.1; SET LOCAL max_parallel_workers_per_gather = 0; "
ORDER = re.compile(
    r"^\s*(?:attribute\.)?[`\"]?(?P<field>\w+)[`\"]?(?:\s+(?P<way>asc|desc))?\s*$", re.IGNORECASE
)


LOOKUPS = {
    "=": "exact",
    "LIKE": patterns.Like.lookup_name,
    "ILIKE": patterns.CaselessLike.lookup_name,
    "IN": "in",
    "<": "lt",
    "<=": "lte",
    ">": "gt",
    ">=": "gte",
}
NEGATED = {"!=": "=", "NOT IN": "IN"}
TEXT_OPERATORS = ("=", "!=", "LIKE", "ILIKE", "IN", "NOT IN")
TAG_OPERATORS = ("=", "!=", "LIKE", "ILIKE")
NUMBER_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True)
class Surface:
    """What may be searched and ordered of one kind of thing, and by which columns."""

    rows: type[RegisteredModel] | type[ModelVersion]
    texts: dict[str, str]
    numbers: dict[str, str]
    orders: dict[str, str]
    tag: type[ModelTag] | type[VersionTag]
    tag_column: str
    default_order: tuple[tuple[str, bool], ...]
    ties: tuple[tuple[str, bool], ...]
    lists: tuple[str, ...]
    rendered: str

    def visible_to(self, actor: Actor) -> QuerySet[Any]:
        return self.rows.objects.visible_to(actor)


MODELS = Surface(
    rows=RegisteredModel,
    texts={"name": "name"},
    numbers={},
    orders={
        "name": "name",
        "timestamp": "created_at",
        "creation_timestamp": "created_at",
        "last_updated_timestamp": "last_updated_at",
    },
    tag=ModelTag,
    tag_column="model",
    default_order=(),
    ties=(("name", False),),
    lists=("name",),
    rendered=statements.FOUND_MODELS,
)
VERSIONS = Surface(
    rows=ModelVersion,
    texts={"name": "model__name", "run_id": "run_id", "source_path": "source"},
    numbers={"version_number": "number"},
    orders={
        "name": "model__name",
        "version_number": "number",
        "creation_timestamp": "created_at",
        "last_updated_timestamp": "last_updated_at",
    },
    tag=VersionTag,
    tag_column="version",
    default_order=(("last_updated_at", True),),
    ties=(("model__name", False), ("number", True)),
    lists=("name", "run_id"),
    rendered=statements.FOUND_VERSIONS,
)


@dataclass(frozen=True)
class Page:
    """One page as JSON texts in order, and the token of the next."""

    entries: Sequence[str]
    next_token: str


def search(
    surface: Surface, actor: Actor, *, text: str, order_by: Sequence[str], token: str, size: int
) -> Page:
    """One page of what the actor may see and the filter lets through."""
    comparisons = parse(text)
    order = _order(surface, order_by, one_model=_names_one_model(surface, comparisons))
    # A token belongs to its search: the same filter, order and kind of thing.
    search_key = hashlib.sha256(repr((surface.rows.__name__, text, order)).encode()).hexdigest()[:16]
    late = _seen_late(surface, actor, comparisons)
    found = surface.rows.objects.existing() if late else surface.visible_to(actor)
    for each in comparisons:
        if _names_one_model(surface, [each]):
            found = found.filter(model_id=_visible_named(actor, str(each.value)))
        else:
            found = found.filter(_condition(surface, each))
    if surface is MODELS and not any(each.kind == "tag" and each.key == PROMPT for each in comparisons):
        found = found.exclude(_tagged(surface, PROMPT, Q(value="true")))
    if token:
        found = found.filter(_after(order, _position(token, search_key, len(order))))
    columns = [column for column, _ in order]
    found = found.order_by(*(F(column).desc() if down else F(column).asc() for column, down in order))
    found = found.values("pk", *columns)
    sql, bound = (found if late else found[: size + 1]).query.sql_with_params()
    if late:
        sql, bound = SEEN_LATE.replace("{search}", sql), (*bound, *late, size + 1)
    rows = _within_time(surface.rendered.replace("{search}", sql), bound)
    rows.sort()  # by place
    more = len(rows) > size
    next_token = _token(search_key, rows[size - 1][2:-1]) if more else ""
    return Page([row[-1] for row in rows[:size]], next_token)


def _seen_late(surface: Surface, actor: Actor, comparisons: Sequence[Comparison]) -> list[Any]:
    """What ``SEEN_LATE`` binds, where a tag may find many models and the actor holds many; else nothing."""
    if surface is not MODELS or not any(each.kind == "tag" for each in comparisons):
        return []
    if actor.holds_everywhere("view") or not can_hold_grants(actor, "view"):
        return []
    permission, many = holding(actor, "view", MODEL_GRANTS)
    return parameters(actor, permission) if many else []


def _within_time(sql: str, parameters: Sequence[Any]) -> list[Any]:
    """The rows; a statement that takes too long is ended, and the client told not to try again.

    The limit travels with the statement: two of one message are one transaction. One process of
    the database is enough for a page: more of them read far ahead of what the page needs. A row
    found by an index costs about what the next one does: indexes are in memory or on flash storage.
    """
    seconds = settings.REGISTRY_SEARCH_SECONDS
    limits = f"SET LOCAL statement_timeout = {round(seconds * 1000)}; {PLANNED_FOR_A_PAGE}"
    # Inside a transaction a failed statement must not end it.
    kept = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with kept, connection.cursor() as cursor:
            cursor.execute(limits + sql, parameters)
            while cursor.nextset():
                pass
            return cursor.fetchall()
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise Invalid(
                f"The search took longer than {seconds:g} seconds; narrow it, such as by an exact name.",
                field="filter",
            ) from error
        raise


def _condition(surface: Surface, comparison: Comparison) -> Q | Exists:
    if comparison.kind == "tag":
        return _tag_condition(surface, comparison)
    key, operator, value = comparison.key, comparison.operator, comparison.value
    if key in surface.numbers:
        return _number_condition(surface.numbers[key], comparison)
    if key not in surface.texts:
        allowed = ", ".join([*surface.texts, *surface.numbers, "tags.<key>"])
        raise Invalid(
            f"The filter cannot use {key[:100]!r}; it can use: {allowed}.", field="filter", allowed=allowed
        )
    _require_operator(operator, TEXT_OPERATORS, key)
    if isinstance(value, int):
        raise Invalid(f"The filter compares {key} with a number; it needs a quoted text.", field="filter")
    if isinstance(value, tuple) and key not in surface.lists:
        raise Invalid(f"The filter cannot compare {key} with a list.", field="filter")
    column = surface.texts[key]
    if key == "name" and operator in {"=", "!=", "IN", "NOT IN"}:
        value = tuple(map(normal_name, value)) if isinstance(value, tuple) else normal_name(value)
    positive = NEGATED.get(operator, operator)
    condition = Q(**{f"{column}__{LOOKUPS[positive]}": value})
    return ~condition if operator in NEGATED else condition


def _names_one_model(surface: Surface, comparisons: Sequence[Comparison]) -> bool:
    return surface is VERSIONS and any(
        (each.kind, each.key, each.operator) == ("attribute", "name", "=") and isinstance(each.value, str)
        for each in comparisons
    )


def _visible_named(actor: Actor, name: str) -> Subquery:
    """The one model's id, found first: an index of its versions gives the page in order.

    To who may not see it nothing of it is read, so that no search tells by its time that it is there.
    """
    seen = RegisteredModel.objects.visible_to(actor).filter(name=normal_name(name))
    return Subquery(seen.values("pk")[:1])


def _number_condition(column: str, comparison: Comparison) -> Q:
    operator, value = comparison.operator, comparison.value
    _require_operator(operator, NUMBER_OPERATORS, comparison.key)
    if not isinstance(value, int):
        raise Invalid(
            f"The filter compares {comparison.key} with a text; it needs a whole number.", field="filter"
        )
    value = max(-1, min(value, LARGEST_NUMBER))
    condition = Q(**{f"{column}__{LOOKUPS[NEGATED.get(operator, operator)]}": value})
    return ~condition if operator in NEGATED else condition


def _tag_condition(surface: Surface, comparison: Comparison) -> Q | Exists:
    _require_operator(comparison.operator, TAG_OPERATORS, f"tags.{comparison.key[:100]}")
    if not isinstance(comparison.value, str):
        raise Invalid(f"The filter compares tags.{comparison.key[:100]} with no quoted text.", field="filter")
    operator, value = comparison.operator, comparison.value
    same = Q(**{f"value__{LOOKUPS[NEGATED.get(operator, operator)]}": value})
    condition = _tagged(surface, comparison.key, ~same if operator in NEGATED else same)
    if comparison.key == PROMPT and (operator, value) in {("=", "false"), ("!=", "true")}:
        # What is no prompt has no such tag.
        return Q(condition) | ~Q(_tagged(surface, PROMPT, Q()))
    return condition


def _tagged(surface: Surface, key: str, value: Q) -> Exists:
    tags = surface.tag._default_manager.filter(**{surface.tag_column: OuterRef("pk"), "key": key})
    return Exists(tags.filter(value))


def _require_operator(operator: str, allowed: Sequence[str], key: str) -> None:
    if operator not in allowed:
        words = ", ".join(allowed)
        raise Invalid(
            f"The filter cannot use {operator} with {key}; it can use: {words}.",
            field="filter",
            allowed=words,
        )


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


def _after(order: Sequence[tuple[str, bool]], position: Sequence[Any]) -> Q:
    """Rows that come later in the order than the position."""
    condition, same = Q(), Q()
    for (column, down), value in zip(order, position, strict=True):
        condition |= same & Q(**{f"{column}__{'lt' if down else 'gt'}": value})
        same &= Q(**{column: value})
    # The first column alone bounds the range, so that an index finds the place.
    column, down = order[0]
    return Q(**{f"{column}__{'lte' if down else 'gte'}": position[0]}) & condition


def _token(search_key: str, position: Sequence[Any]) -> str:
    values = [["t", each.isoformat()] if isinstance(each, datetime) else ["v", each] for each in position]
    return signing.dumps([search_key, values], salt=SALT)


def _position(token: str, search_key: str, length: int) -> list[Any]:
    try:
        key, values = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise Invalid("page_token is not one that was given out here.", field="page_token") from None
    if key != search_key or len(values) != length:
        raise Invalid("page_token belongs to another search.", field="page_token")
    return [datetime.fromisoformat(value) if kind == "t" else value for kind, value in values]
