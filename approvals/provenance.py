"""What the registry knows of a candidate beyond its figures: signature, scanners, libraries, card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.actors import Actor
from registry.cards.lookups import Card, card_of
from registry.cards.models import CardRevision
from registry.cards.revising import differences
from registry.models import ModelVersion
from registry.requirements import Requirements, read_requirements
from registry.scans.panels import scans_of_versions
from registry.scans.words import Shown
from registry.signing.panels import signatures_of_versions


@dataclass(frozen=True)
class Provenance:
    """``changed`` are titles of card sections that differ from the champion's card; None without a champion."""

    signature: dict[str, Any] | None
    scan: Shown | None
    requirements: Requirements
    flavours: list[str]
    card: Card
    changed: list[str] | None

    @property
    def pinned(self) -> int:
        return sum(bool(each.version) for each in self.requirements.known.values())

    @property
    def dangers(self) -> list[str]:
        """What nobody who signs may overlook."""
        found = []
        if self.signature and (row := self.signature["signature"]) and row.outcome == row.Outcome.FAILED:
            found.append(f"The signature among its files does not hold: {row.finding}")
        if self.scan and self.scan.scan and self.scan.scan.verdict == "dangerous":
            named = dict.fromkeys(
                each["what"] for each in self.scan.findings if each["severity"] == "dangerous"
            )
            found.append(
                f"A scanner calls it dangerous: loading it would reach {', '.join(list(named)[:3])}."
            )
        return found


def provenance_of(actor: Actor, version: ModelVersion, champion: ModelVersion | None) -> Provenance:
    """The same answers as the page of the version gives, and how the card moved since the champion."""
    card = card_of(actor, version.model, version)
    return Provenance(
        signature=signatures_of_versions(actor, [version]).get(version.pk),
        scan=scans_of_versions(actor, [version]).get(version.pk),
        requirements=read_requirements(version.requirements),
        flavours=sorted(version.flavours),
        card=card,
        changed=_changed(card, champion) if champion else None,
    )


def _changed(card: Card, champion: ModelVersion) -> list[str]:
    before = CardRevision.objects.filter(model=champion.model_id).holding_for(champion.number).first()
    return [each.title for each in differences(before.sections if before else {}, card.sections)]
