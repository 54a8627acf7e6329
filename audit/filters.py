"""Filters of the audit trail, the same for pages and REST."""

from __future__ import annotations

from collections.abc import Mapping

from audit.models import EventQuerySet
from audit.recording import OUTCOMES
from audit.selecting import Selection, moment
from core.errors import Invalid
from core.text import storable_text

LONGEST = 300
NAMES = ("action", "actor", "outcome", "object_type", "object_id", "from", "to")


_refusals: dict[str, list[str]] = {}


def name_refusals(event_of: Mapping[str, str]) -> None:
    """Have each event's action also find the refusals of its command: command to event."""
    for refused, action in event_of.items():
        names = _refusals.setdefault(action, [])
        if refused not in names:
            names.append(refused)


def filtered(events: EventQuerySet, query: Mapping[str, str]) -> EventQuerySet:
    """``action`` (or its first word), ``actor``, ``outcome``, ``object_type`` with ``object_id``, ``from``, ``to``."""
    given = {name: storable_text(query[name], name, LONGEST) for name in NAMES if query.get(name)}
    if action := given.get("action"):
        events = events.acting(action, *_refusals.get(action, ()))
    if actor := given.get("actor"):
        events = events.by(actor)
    if outcome := given.get("outcome"):
        if outcome not in OUTCOMES:
            allowed = ", ".join(sorted(OUTCOMES))
            raise Invalid(f"outcome must be one of: {allowed}.", field="outcome", allowed=allowed)
        events = events.ended(outcome)
    if identifier := given.get("object_id"):
        if not given.get("object_type"):
            raise Invalid(
                "object_id needs object_type beside it.", field="object_type", allowed="an object's type"
            )
        events = events.about(given["object_type"], identifier)
    elif kind := given.get("object_type"):
        events = events.of_type(kind)
    period = Selection(moment(given.get("from"), "from"), moment(given.get("to"), "to"))
    if period.since:
        events = events.filter(recorded_at__gte=period.since)
    if period.until:
        events = events.filter(recorded_at__lt=period.until)
    return events
