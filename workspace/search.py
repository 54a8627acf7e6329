"""The palette: models, data sets and pages the reader may see. Actions open pages, never act."""

from __future__ import annotations

from typing import Any

from core.actors import Actor
from core.frame import links
from registry.models import RegisteredModel

MOST = 8


def results(actor: Actor, words: str) -> list[dict[str, Any]]:
    """Groups of lines: icon, word, note, address."""
    words = words.strip().replace("\x00", "")
    models = RegisteredModel.objects.visible_to(actor)
    if words:
        models = models.filter(name__icontains=words)
    groups = [
        {
            "name": "Models",
            "lines": [
                {"icon": "boxes", "word": model.name, "note": "model", "address": f"/models/{model.name}/"}
                for model in models.order_by("name")[:MOST]
            ],
        },
        {"name": "Pages", "lines": list(_pages(actor, words))[:MOST]},
    ]
    return [group for group in groups if group["lines"]]


def _pages(actor: Actor, words: str) -> Any:
    for link in links():
        if link.right and not actor.holds_everywhere(link.right):
            continue
        if words.lower() in link.word.lower():
            yield {"icon": link.icon, "word": link.word, "note": link.key.upper(), "address": link.address}
