"""Finding sources among those the caller may know of."""

from __future__ import annotations

from core.actors import Actor
from core.errors import NotFound
from pipelines.sources.models import Source


def find_source(actor: Actor, name: str) -> Source:
    """404 alike for what is not there and what was not granted."""
    rows = Source.objects.visible_to(actor).select_related("created_by")
    source = rows.filter(name=name.replace("\x00", "").lower()).first()
    if source is None:
        raise NotFound(f"There is no source named {name[:63]!r}.")
    return source


def usable_by(actor: Actor) -> list[Source]:
    """What a form offers: the sources granted to the actor, by name."""
    return list(Source.objects.granted_to(actor).order_by("name"))
