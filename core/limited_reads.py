"""Reads for a page of rows, ended when they take too long.

One process of the database is enough for a page: more of them read far ahead of what the page
needs. A row found by an index costs about what the next one does: indexes are in memory or on
flash storage.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from django.db import connection, transaction

from core.hot_reads import fetch_rows

PLANNED_FOR_A_PAGE = "SET LOCAL random_page_cost = 1.1; SET LOCAL max_parallel_workers_per_gather = 0; "
# The same for one transaction, as a statement that can be prepared.
LIMITED = """SELECT set_config('statement_timeout', %s, true), set_config('random_page_cost', '1.1', true),
    set_config('max_parallel_workers_per_gather', '0', true)"""


def fetch_planned_anew(sql: str, parameters: Sequence[Any], seconds: float) -> list[Any]:
    """The rows, by a plan for these very values.

    The limit travels with the statement: two of one message are one transaction.
    """
    limits = f"SET LOCAL statement_timeout = {_milliseconds(seconds)}; {PLANNED_FOR_A_PAGE}"
    # Inside a transaction a failed statement must not end it.
    kept = transaction.atomic() if connection.in_atomic_block else nullcontext()
    with kept, connection.cursor() as cursor:
        cursor.execute(limits + sql, parameters)
        while cursor.nextset():
            pass
        return cursor.fetchall()


def fetch_prepared(sql: str, parameters: Sequence[Any], seconds: float) -> list[Any]:
    """The rows, by one plan kept for any values: planning a page of rows takes a millisecond (measured)."""
    if connection.in_atomic_block:  # what is set for a transaction would outlive the statement
        return fetch_planned_anew(sql, parameters, seconds)
    return fetch_rows(sql, parameters, before=(LIMITED, [str(_milliseconds(seconds))]))


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
