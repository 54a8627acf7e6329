"""Every change of a deployment leaves a line that people read, and wakes gateways and agents."""

from __future__ import annotations

from typing import Any

from django.db.models import F

from core.actors import Actor
from deployments.models import Deployment, Transition
from deployments.notices import announce


def move(
    actor: Actor,
    deployment: Deployment,
    status: str,
    *,
    note: str = "",
    changes_live: bool = False,
    **fields: Any,
) -> None:
    """Change the status by compare-and-set and write the line of history in the same transaction."""
    deployment.move_to(status, rev=F("rev") + 1, **fields)
    deployment.refresh_from_db(fields=["rev", *[name for name in fields if name.endswith("_at")]])
    note_line(actor, deployment, note, changes_live=changes_live)


def change(actor: Actor, deployment: Deployment, *, note: str = "", **fields: Any) -> None:
    """Change anything but the status, while the status is still the one we saw."""
    mine = Deployment.objects.filter(pk=deployment.pk, status=deployment.status)
    mine.update(rev=F("rev") + 1, **fields)
    deployment.refresh_from_db(fields=["rev", *fields])
    note_line(actor, deployment, note)


def note_line(actor: Actor, deployment: Deployment, note: str, *, changes_live: bool = False) -> None:
    Transition.objects.create(
        deployment=deployment,
        status=deployment.status,
        slot=deployment.slot,
        weight=deployment.weight,
        fence=deployment.fence,
        changes_live=changes_live,
        by_name=actor.account_name,
        note=note[:1000],
    )
    announce()
