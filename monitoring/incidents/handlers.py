"""What deployments and the registry tell incidents."""

from __future__ import annotations

from typing import Any

from audit.services import command
from core.actors import Actor
from core.events import on
from deployments.models import Deployment
from monitoring.incidents.integrity import INTEGRITY
from monitoring.incidents.models import Incident, TimelineEntry
from monitoring.incidents.services import add_entry, open_incident
from monitoring.services import request_refresh
from registry.changed import changed_file
from registry.models import ModelVersion

ACTOR = Actor.system()


@on("deployments.live", queue="monitoring")
def note_live(body: dict[str, Any]) -> None:
    """A version went live while an incident of its endpoint is open: part of the story."""
    _note(
        actor=ACTOR,
        deployment=_deployment(body),
        text="went live",
        key=f"live {body['deployment']} {body['fence']}",
    )


@on("deployments.rolled_back", queue="monitoring")
def note_rolled_back(body: dict[str, Any]) -> None:
    """A rollback that was asked for elsewhere is in the timeline too; alerts of the former clear."""
    text = f"is live again; v{body['former_version_number']} was rolled back: {body['reason']}"
    key = f"rollback {body['deployment']} {body['fence']}"
    _note(actor=ACTOR, deployment=_deployment(body), text=text, key=key)


@on("registry.integrity_broken", queue="monitoring")
def open_integrity_incident(body: dict[str, Any]) -> None:
    """Stored bytes differ from what was registered."""
    version = ModelVersion.objects.select_related("model").get(pk=body["subject_id"])
    _open_integrity(actor=ACTOR, version=version)


@command
def _note(*, actor: Actor, deployment: Deployment, text: str, key: str) -> None:
    for incident in Incident.objects.open().filter(endpoint=deployment.endpoint):
        add_entry(
            actor, incident, TimelineEntry.Kind.DEPLOYMENT, f"v{deployment.version.number} {text}", key=key
        )
    request_refresh(deployment.endpoint)


@command
def _open_integrity(*, actor: Actor, version: ModelVersion) -> None:
    if Incident.objects.open().filter(version=version, cause=INTEGRITY).exists():
        return
    open_incident(
        actor=actor,
        model=version.model,
        title=_title(version)[:500],
        severity="critical",
        cause=INTEGRITY,
        version=version,
    )


def _title(version: ModelVersion) -> str:
    """What was found, without digests: the incident's page has those."""
    if (changed := changed_file(version)) is None:
        return f"A stored file of {version} was not what was registered"
    return f"{changed.name} of {version} {changed.finding}"


def _deployment(body: dict[str, Any]) -> Deployment:
    related = Deployment.objects.select_related("endpoint__model", "endpoint__environment", "version")
    return related.get(pk=body["deployment"])
