"""What one revision of a card says differently from another; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import unified_diff
from typing import Any

from registry.cards.sections import SECTIONS

MOST_LINES = 2000


@dataclass(frozen=True)
class DiffLine:
    """``sign`` is +, - or a space; ``…`` stands where unchanged lines are left out."""

    sign: str
    text: str

    @property
    def look(self) -> str:
        return {"+": "add", "-": "del", "…": "hunk"}.get(self.sign, "")


@dataclass(frozen=True)
class SectionDiff:
    """One section that differs, line by line."""

    key: str
    title: str
    lines: list[DiffLine]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[SectionDiff]:
    """The sections that differ, in the card's order."""
    return [
        SectionDiff(
            section.key, section.title, _lines(before.get(section.key, ""), after.get(section.key, ""))
        )
        for section in SECTIONS
        if before.get(section.key, "") != after.get(section.key, "")
    ]


def _lines(before: str, after: str) -> list[DiffLine]:
    found = unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm="")
    plain = [line for line in found if not line.startswith(("---", "+++"))][:MOST_LINES]
    return [DiffLine("…", "") if line.startswith("@@") else DiffLine(line[0], line[1:]) for line in plain]
