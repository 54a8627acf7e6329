"""Opening incidents and writing their timeline."""

from __future__ import annotations

from audit.services import command, record
from core.actors import Actor
from core.errors import NotAllowed
from core.events import emit
from core.text import checked_text
from deployments.models import Endpoint
from monitoring import rights
from monitoring.incidents.models import Incident, TimelineEntry
from registry.models import ModelVersion, RegisteredModel


@command
def open_incident(
    *,
    actor: Actor,
    model: RegisteredModel,
    title: str,
    severity: str,
    cause: str,
    endpoint: Endpoint | None = None,
    version: ModelVersion | None = None,
) -> Incident:
    """Something is wrong with a model: people are to look at it."""
    if not actor.is_system and not rights.may_handle_incidents(actor, model):
        raise NotAllowed(f"You may not open incidents of {model}.")
    incident = Incident.objects.create(
        title=checked_text(title, "title", 500, min_length=1),
        severity=severity,
        model=model,
        endpoint=endpoint,
        version=version,
        cause=cause,
    )
    incident.refresh_from_db(fields=["opened_at"])
    add_entry(actor, incident, TimelineEntry.Kind.OPENED, incident.title, key="opened")
    after = {"title": incident.title, "severity": severity, "cause": cause}
    record(actor=actor, action="monitoring.incident_opened", target=incident, after=after)
    emit("monitoring.incident_opened", incident, {"model": str(model.pk), "severity": severity})
    return incident


def add_entry(actor: Actor, incident: Incident, kind: str, text: str, *, key: str = "") -> None:
    """A line of the timeline; with a key, the same event twice is one line."""
    fields = {"kind": kind, "text": text[:10_000], "by_name": "" if actor.is_system else actor.account_name}
    if not key:
        TimelineEntry.objects.create(incident=incident, **fields)
        return
    TimelineEntry.objects.get_or_create(incident=incident, key=key[:200], defaults=fields)
