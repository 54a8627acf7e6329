"""LIKE and ILIKE as lookups of the ORM, for the patterns of filters."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import CharField, Lookup, TextField

from registry.names import LONGEST_NAME

WILD = re.compile("[%_]")
LAST_CODE_POINT = 0x10FFFF


@CharField.register_lookup
@TextField.register_lookup
class Like(Lookup):
    """SQL's LIKE with the client's pattern, in which a backslash is a backslash."""

    lookup_name = "like"
    word = "LIKE"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, left_parameters = self.process_lhs(compiler, connection)
        right, right_parameters = self.process_rhs(compiler, connection)
        return f"{left} {self.word} {right} ESCAPE ''", [*left_parameters, *right_parameters]


@CharField.register_lookup
@TextField.register_lookup
class CaselessLike(Like):
    """The same in any case of letters."""

    lookup_name = "ilike"
    word = "ILIKE"


@CharField.register_lookup
class Beginning(Like):
    """LIKE with a pattern that is a beginning, of a column in the order of code points (collation C).

    Said as a range, too: an index finds it whatever the beginning is, so that one plan serves all.
    """

    lookup_name = "beginning"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, left_parameters = self.process_lhs(compiler, connection)
        right, right_parameters = self.process_rhs(compiler, connection)
        like, parameters = super().as_sql(compiler, connection)
        first = f"left({right}, -1)"
        last = f"{first} || repeat(chr({LAST_CODE_POINT}), {LONGEST_NAME})"
        side = [*left_parameters, *right_parameters]
        return f"({like} AND {left} >= {first} AND {left} < {last})", [*parameters, *side, *side]


def is_beginning(pattern: object) -> bool:
    """Whether a pattern is a plain text with one ``%``, at its end."""
    return (
        isinstance(pattern, str)
        and pattern[-1:] == "%"
        and len(pattern) > 1
        and not WILD.search(pattern[:-1])
    )
