"""How complete a card is, on the pages of the model and its versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.actors import Actor
from registry.cards.lookups import Card, card_of, usual_version
from registry.models import ModelVersion, RegisteredModel


def cards_of_models(actor: Actor, models: Sequence[RegisteredModel]) -> dict[Any, Card]:
    """A page of one model asks for one card."""
    return {model.pk: card_of(actor, model, usual_version(actor, model)) for model in models[:1]}


def cards_of_versions(actor: Actor, versions: Sequence[ModelVersion]) -> dict[Any, Card]:
    """The card that holds for the version."""
    return {
        version.pk: card_of(actor, version.model, version) for version in versions[:1] if version.is_ready
    }
