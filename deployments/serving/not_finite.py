"""Which column of a body holds NaN or Infinity; looked for only once a body is refused for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any

Step = str | int


class Constant(Exception):
    """One of the words NaN, Infinity and -Infinity, which are not JSON."""


def place_of_constant(body: bytes, names: list[str]) -> str | None:
    """The column at fault, or where in the body; None when the body cannot be read any further."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    path = next(_paths(document), None)
    return _column(document, path, names) if path else None


def _paths(document: Any) -> Iterator[list[Step]]:
    """Every number that is not finite, in the order sent; without recursion, for bodies nest deep."""
    waiting: list[tuple[list[Step], Any]] = [([], document)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, float) and not isfinite(value):
            yield path
        elif isinstance(value, dict):
            waiting.extend(([*path, name], each) for name, each in reversed(value.items()))
        elif isinstance(value, list):
            waiting.extend(([*path, index], each) for index, each in reversed(list(enumerate(value))))


def _column(document: Any, path: list[Step], names: list[str]) -> str:
    match path:
        case ["dataframe_split", "data", int(), int(index), *_]:
            columns = document["dataframe_split"].get("columns")
            names = columns if isinstance(columns, list) else []
        case ["inputs" | "instances", int(), int(index), *_]:
            pass
        case ["inputs", str(name), *_] | ["inputs" | "instances" | "dataframe_records", int(), str(name), *_]:
            return name
        case _:
            return _written(path)
    return str(names[index]) if index < len(names) else _written(path)


def _written(path: list[Step]) -> str:
    words = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(words).lstrip(".")
