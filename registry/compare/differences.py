"""Two tables of names and values side by side; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

ORDER = ("changed", "added", "removed", "same")


@dataclass(frozen=True)
class Line:
    """One name: what ``a`` says, what ``b`` says, and whether it was added, removed or changed."""

    name: str
    a: Any
    b: Any
    change: str

    @property
    def both(self) -> tuple[Any, Any]:
        return self.a, self.b

    @property
    def is_difference(self) -> bool:
        return self.change != "same"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def lines_of(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Line]:
    """Every name of either: changed ones first, then added, removed and the same."""
    lines = [_line(name, a, b) for name in sorted({*a, *b})]
    return sorted(lines, key=lambda line: ORDER.index(line.change))


def differing(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.is_difference]


def _line(name: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> Line:
    if name not in a:
        return Line(name, None, b[name], "added")
    if name not in b:
        return Line(name, a[name], None, "removed")
    return Line(name, a[name], b[name], "same" if a[name] == b[name] else "changed")
