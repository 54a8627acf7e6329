"""What REST says of model cards, and what it takes."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.api.fields import Body, TextField
from registry.cards.lookups import Card
from registry.cards.models import CardRevision


class NewCardSerializer(Body):
    """Sections by key; ``from_version`` is the first version the card holds for."""

    sections = serializers.DictField(child=TextField(allow_blank=True, trim_whitespace=False))
    from_version = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    note = TextField(required=False, allow_blank=True, max_length=500)


class CardRevisionSerializer(serializers.ModelSerializer):
    revision = serializers.IntegerField(source="number")
    written_by = serializers.CharField(source="created_by.username", default=None)
    written_at = serializers.DateTimeField(source="created_at")

    class Meta:
        model = CardRevision
        fields = ("revision", "from_version", "note", "written_by", "written_at", "sections")


def described(card: Card) -> dict[str, Any]:
    """A card as JSON: people's words, known facts, and what the tier still asks for."""
    revision = CardRevisionSerializer(card.revision).data if card.revision else None
    return {
        "model": card.model.name,
        "version": card.version.number if card.version else None,
        "tier": card.model.tier,
        **{
            name: (revision or {}).get(name)
            for name in CardRevisionSerializer.Meta.fields
            if name != "sections"
        },
        "sections": card.sections,
        "facts": [fact.to_json() for fact in card.facts],
        "completeness": card.completeness.to_json(),
    }
