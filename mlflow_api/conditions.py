"""From one comparison of a filter to a condition of the ORM: values are bound, columns are listed."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, Q

from core.errors import Invalid
from mlflow_api import patterns
from mlflow_api.filters import Comparison
from mlflow_api.surfaces import MODELS, VERSIONS, Surface

PROMPT = "mlflow.prompt.is_prompt"
LARGEST_NUMBER = 2**31 - 1

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


def condition(surface: Surface, comparison: Comparison) -> Q | Exists:
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
    positive = NEGATED.get(operator, operator)
    lookup = patterns.Beginning.lookup_name if begins(surface, comparison) else LOOKUPS[positive]
    condition = Q(**{f"{column}__{lookup}": value})
    return ~condition if operator in NEGATED else condition


def begins(surface: Surface, comparison: Comparison) -> bool:
    """Whether it asks for models by the beginning of their names, which are kept in order."""
    return (
        surface is MODELS
        and (comparison.kind, comparison.key, comparison.operator) == ("attribute", "name", "LIKE")
        and patterns.is_beginning(comparison.value)
    )


def names_one_model(surface: Surface, comparisons: Sequence[Comparison]) -> bool:
    return surface is VERSIONS and any(
        (each.kind, each.key, each.operator) == ("attribute", "name", "=") and isinstance(each.value, str)
        for each in comparisons
    )


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
    condition = tagged(surface, comparison.key, ~same if operator in NEGATED else same)
    if comparison.key == PROMPT and (operator, value) in {("=", "false"), ("!=", "true")}:
        # What is no prompt has no such tag.
        return Q(condition) | ~Q(tagged(surface, PROMPT, Q()))
    return condition


def tagged(surface: Surface, key: str, value: Q) -> Exists:
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
