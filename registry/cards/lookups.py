"""Which card holds for which version, with all that a reader sees of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.actors import Actor
from core.errors import NotFound
from registry.cards.completeness import Completeness, completeness_of
from registry.cards.facts import Fact, facts_of
from registry.cards.models import CardRevision
from registry.cards.sections import SECTIONS, Section, is_answered
from registry.lineage import data_of
from registry.models import ModelVersion, RegisteredModel, VersionDataset

CHAMPION = "champion"
MOST_STARTS = 100


@dataclass
class Card:
    """What people say (``revision``), what is known (``facts``), and what is missing."""

    model: RegisteredModel
    version: ModelVersion | None
    revision: CardRevision | None
    data: Sequence[VersionDataset]
    facts: list[Fact]
    completeness: Completeness

    @property
    def sections(self) -> dict[str, str]:
        return self.revision.sections if self.revision else {}

    @property
    def answers(self) -> list[tuple[Section, str, bool, bool]]:
        """Section, text, whether it is required and whether it is answered; optional empty ones left out."""
        tier = self.model.tier
        return [
            (section, text, tier in section.tiers, is_answered(text))
            for section in SECTIONS
            if (text := self.sections.get(section.key, "")) or tier in section.tiers
        ]


def card_of(actor: Actor, model: RegisteredModel, version: ModelVersion | None) -> Card:
    """The card that holds for this version, or the newest where there is no version."""
    revisions = CardRevision.objects.filter(model=model)
    holding = revisions.holding_for(version.number) if version else revisions.newest_first()
    revision = holding.first()
    data = data_of(actor, version) if version else []
    facts = facts_of(model, version, data)
    said = revision.sections if revision else {}
    return Card(model, version, revision, data, facts, completeness_of(model.tier, said, facts))


def usual_version(actor: Actor, model: RegisteredModel) -> ModelVersion | None:
    """The champion, else the newest ready version."""
    ready = ModelVersion.objects.visible_to(actor).filter(model=model).ready()
    return ready.filter(aliases__name=CHAMPION).first() or ready.order_by("-number").first()


def starts_of(model: RegisteredModel, start: int) -> list[tuple[int, str]]:
    """Versions a card may hold from, newest first, and where it holds from now."""
    versions = ModelVersion.objects.existing().filter(model=model).order_by("-number")
    found = list(versions.prefetch_related("aliases").only("number")[:MOST_STARTS])
    said = {
        each.number: ", ".join([f"v{each.number}", *sorted(alias.name for alias in each.aliases.all())])
        for each in found
    }
    said.setdefault(start, f"v{start}, which is deleted" if found else f"v{start}")
    return sorted(said.items(), reverse=True)


def find_revision(model: RegisteredModel, number: int) -> CardRevision:
    found = (
        CardRevision.objects.filter(model=model, number=number)
        if number < 2**31
        else CardRevision.objects.none()
    )
    revision = found.select_related("created_by").first()
    if revision is None:
        raise NotFound(f"The card of {model} has no revision {number}.")
    revision.model = model
    return revision


def newest_number(model: RegisteredModel) -> int:
    """The revision a change must have seen; 0 when there is no card yet."""
    numbers: Any = (
        CardRevision.objects.filter(model=model).order_by("-number").values_list("number", flat=True)
    )
    return numbers.first() or 0
