"""How much of a card is there, and what is missing; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.cards.facts import Fact
from registry.cards.sections import is_answered, required_at


@dataclass(frozen=True)
class Missing:
    """Something the card must say at this tier and does not."""

    title: str
    remedy: str
    place: str = ""


@dataclass(frozen=True)
class Completeness:
    """``filled`` of ``asked`` sections and facts are there."""

    filled: int
    asked: int
    missing: list[Missing]

    @property
    def is_complete(self) -> bool:
        return not self.missing

    @property
    def percent(self) -> int:
        return self.filled * 100 // self.asked if self.asked else 100

    def to_json(self) -> dict[str, Any]:
        return {
            "complete": self.is_complete,
            "filled": self.filled,
            "asked": self.asked,
            "missing": [each.title for each in self.missing],
        }


def completeness_of(tier: str, sections: Mapping[str, str], facts: Sequence[Fact]) -> Completeness:
    """Sections and facts that this tier asks for; one that says next to nothing counts as missing."""
    asked = required_at(tier)
    needed = [fact for fact in facts if tier in fact.tiers]
    missing = [
        Missing(section.title, section.question)
        for section in asked
        if not is_answered(sections.get(section.key, ""))
    ]
    missing += [Missing(fact.title, fact.remedy, fact.place) for fact in needed if not fact.value]
    total = len(asked) + len(needed)
    return Completeness(total - len(missing), total, missing)
