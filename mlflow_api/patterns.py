"""LIKE and ILIKE as lookups of the ORM, for the patterns of filters."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, Lookup, TextField


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
