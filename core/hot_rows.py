"""Rows written and read by prepared statements, as Django's models would, for the few hot writes.

``save()`` builds the text of its statement anew each time, a millisecond of CPU for a wide table
(measured). What is sent here is made from the same fields, once per shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.expressions import DatabaseDefault

from core.hot_reads import fetch_row

Row = TypeVar("Row", bound=models.Model)


def insert_row(row: models.Model) -> None:
    """INSERT a new row as ``save(force_insert=True)`` does; what the database decided is set on it."""
    given: list[models.Field[Any, Any]] = []
    decided: list[models.Field[Any, Any]] = []
    for field in row._meta.concrete_fields:
        (decided if _is_left_open(row, field) else given).append(field)
    sql = _insertion(type(row), tuple(each.column for each in given), tuple(each.column for each in decided))
    server = connections[DEFAULT_DB_ALIAS]  # once: the proxy ``connection`` finds it anew for every field
    values = [field.get_db_prep_save(field.pre_save(row, add=True), server) for field in given]
    found = fetch_row(sql, values)
    for field, value in zip(decided, found or (), strict=False):
        setattr(row, field.attname, value)
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def columns(kind: type[models.Model], table: str, names: Sequence[str]) -> str:
    """The columns of these fields, as ``table`` has them, for a statement that ``made_row`` reads."""
    by_name = {each.attname: each.column for each in kind._meta.concrete_fields}
    return ", ".join(f'{table}."{by_name[name]}"' for name in names)


def names_of(
    kind: type[models.Model], without: Sequence[type[models.Field[Any, Any]]] = ()
) -> tuple[str, ...]:
    """Its fields by attribute, but those of the kinds in ``without`` (JSON needs Django to read it)."""
    return tuple(each.attname for each in kind._meta.concrete_fields if not isinstance(each, tuple(without)))


def made_row(kind: type[Row], names: Sequence[str], values: Sequence[Any]) -> Row:
    """The row with these values; another field is read when somebody asks for it."""
    return kind.from_db(DEFAULT_DB_ALIAS, names, values)


def _is_left_open(row: models.Model, field: models.Field[Any, Any]) -> bool:
    value = getattr(row, field.attname)
    return isinstance(value, DatabaseDefault) or (field.primary_key and value is None)


@cache
def _insertion(kind: type[models.Model], given: tuple[str, ...], decided: tuple[str, ...]) -> str:
    names = ", ".join(f'"{each}"' for each in given)
    back = ", ".join(f'"{each}"' for each in decided) or "1"
    places = ", ".join(["%s"] * len(given))
    return f'INSERT INTO "{kind._meta.db_table}" ({names}) VALUES ({places}) RETURNING {back}'  # noqa: S608
