"""What people do with an incident: acknowledge, comment, roll back, resolve, learn."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Max
from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed, PreconditionFailed
from core.etags import etag_of
from core.text import checked_text
from deployments import rights as deployment_rights
from deployments import services as deployments
from deployments.models import Deployment
from monitoring import rights
from monitoring.incidents.models import Incident, PostMortem, TimelineEntry
from monitoring.incidents.services.opening import add_entry

Kind, Status = TimelineEntry.Kind, Incident.Status
LONGEST = 10_000
REQUIRED = ("summary", "impact", "cause")
OPTIONAL = ("what_we_changed", "follow_ups")


@command
def acknowledge(*, actor: Actor, incident: Incident, expected_etag: str | None = None) -> Incident:
    """Say that one sees to it; the others need not."""
    _require(actor, incident)
    row = _locked(incident, expected_etag)
    row.move_to(Status.ACKNOWLEDGED, acknowledged_at=Now(), handler_id=actor.account_id, rev=F("rev") + 1)
    add_entry(actor, row, Kind.ACKNOWLEDGED, f"{actor.account_name} is on it.")
    record(actor=actor, action="monitoring.incident_acknowledged", target=row)
    return _fresh(row)


@command
def comment(*, actor: Actor, incident: Incident, text: str) -> Incident:
    """Add a line to the timeline, also after the incident is resolved."""
    _require(actor, incident)
    text = checked_text(text, "text", LONGEST, min_length=1, multiline=True)
    row = _locked(incident)
    add_entry(actor, row, Kind.COMMENT, text)
    record(actor=actor, action="monitoring.incident_commented", target=row, after={"text": text})
    return row


@command
def roll_back(*, actor: Actor, incident: Incident, to_deployment: Deployment, reason: str) -> Deployment:
    """Serve an earlier, proven version again because of this incident."""
    if incident.endpoint is None:
        raise Conflict("This incident is not about an endpoint, so there is nothing to roll back.")
    if (refusal := deployment_rights.why_not_roll_back(actor, incident.endpoint)) is not None:
        raise NotAllowed(refusal)
    row = _locked(incident)
    if not row.is_open:
        raise Conflict(
            "This incident is resolved; open the deployments page to roll back.", code="incident_resolved"
        )
    back = deployments.roll_back(
        actor=actor, endpoint=incident.endpoint, to_deployment=to_deployment, reason=reason
    )
    if row.status == Status.OPEN:
        row.move_to(Status.ACKNOWLEDGED, acknowledged_at=Now(), handler_id=actor.account_id, rev=F("rev") + 1)
    add_entry(
        actor,
        row,
        Kind.ROLLED_BACK,
        f"Rollback to v{back.version.number}: {reason}",
        key=f"rollback {back.pk} {back.fence}",
    )
    after = {"to_version": back.version.number, "deployment": str(back.pk)}
    record(
        actor=actor, action="monitoring.rolled_back_from_incident", target=row, after=after, reason=reason,
        meaning="rolled back",
    )  # fmt: skip
    return back


@command
def sign_and_roll_back(
    *, actor: Actor, incident: Incident, to_deployment: Deployment, reason: str, password: str
) -> Deployment:
    """Roll back from the incident's page: the person at the browser proves to be who signed in."""
    deployments.require_signature(actor=actor, password=password)
    return roll_back(actor=actor, incident=incident, to_deployment=to_deployment, reason=reason)


@command
def resolve(
    *, actor: Actor, incident: Incident, resolution: str, expected_etag: str | None = None
) -> Incident:
    """End an incident, saying how."""
    _require(actor, incident)
    resolution = checked_text(resolution, "resolution", LONGEST, min_length=1, multiline=True)
    row = _locked(incident, expected_etag)
    before = {"status": row.status}
    fields: dict[str, Any] = {"resolved_at": Now(), "resolution": resolution, "rev": F("rev") + 1}
    if row.handler_id is None:
        fields["handler_id"] = actor.account_id
    row.move_to(Status.RESOLVED, **fields)
    add_entry(actor, row, Kind.RESOLVED, resolution)
    after = {"status": Status.RESOLVED.value, "resolution": resolution}
    record(actor=actor, action="monitoring.incident_resolved", target=row, before=before, after=after)
    return _fresh(row)


@command
def write_post_mortem(
    *, actor: Actor, incident: Incident, post_mortem: dict[str, Any], expected_revision: int | None = None
) -> PostMortem:
    """Keep a new revision of what was learnt; earlier ones stay.

    ``expected_revision`` is the revision the writer saw (0 for none): someone else's words are
    never overwritten unseen.
    """
    _require(actor, incident)
    if unknown := sorted(str(name)[:60] for name in post_mortem.keys() - {*REQUIRED, *OPTIONAL}):
        allowed = ", ".join((*REQUIRED, *OPTIONAL))
        raise Invalid(f"{unknown[0]} is no part of a post-mortem.", field=unknown[0], allowed=allowed)
    fields = {
        name: checked_text(post_mortem.get(name, ""), name, LONGEST, min_length=1, multiline=True)
        for name in REQUIRED
    }
    fields |= {
        name: checked_text(post_mortem.get(name, ""), name, LONGEST, multiline=True) for name in OPTIONAL
    }
    row = _locked(incident)
    newest = row.post_mortems.aggregate(newest=Max("revision"))["newest"] or 0
    if expected_revision is not None and expected_revision != newest:
        raise PreconditionFailed(
            f"The post-mortem has revision {newest} by now; you saw {expected_revision}. Read it and save again.",
            extra={"revision": newest},
        )
    kept = PostMortem.objects.create(
        incident=row,
        revision=newest + 1,
        written_by_id=actor.account_id,
        written_by_name=actor.account_name,
        **fields,
    )
    kept.refresh_from_db(fields=["written_at"])
    add_entry(actor, row, Kind.POST_MORTEM, f"Post-mortem, revision {kept.revision}: {fields['summary']}")
    Incident.objects.filter(pk=row.pk).update(rev=F("rev") + 1)
    record(
        actor=actor,
        action="monitoring.post_mortem_written",
        target=row,
        after={"revision": kept.revision, **fields},
    )
    return kept


def incident_etag(incident: Incident) -> str:
    return etag_of("incident", incident.pk, incident.rev, incident.status)


def _locked(incident: Incident, expected_etag: str | None = None) -> Incident:
    row = (
        Incident.objects.select_for_update(of=("self",))
        .select_related("model", "endpoint__environment", "endpoint__model", "version")
        .get(pk=incident.pk)
    )
    if expected_etag is not None and expected_etag != incident_etag(row):
        raise PreconditionFailed(f"The incident {row} has changed since you read it.")
    return row


def _fresh(row: Incident) -> Incident:
    row.refresh_from_db(fields=["rev", "acknowledged_at", "resolved_at", "handler"])
    return row


def _require(actor: Actor, incident: Incident) -> None:
    if not rights.may_handle_incidents(actor, incident.model):
        raise NotAllowed(f"You may not handle incidents of {incident.model}.")
