"""The prediction log's sealed parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict
from core.events import emit
from deployments.models import Deployment, LogSegment, SealedJournal


@dataclass(frozen=True)
class SealedPart:
    """A Parquet file that is in the object store already, and what is in it."""

    deployment: Deployment
    slot: str
    hour: datetime
    key: str
    sha256: str
    size: int
    rows: int
    requests: int
    failed: int
    refused: int
    served_from: datetime
    served_to: datetime
    event_from: datetime
    event_to: datetime


@command
def note_sealed(*, actor: Actor, journals: Sequence[str], parts: Sequence[SealedPart]) -> list[LogSegment]:
    """These journal files are in these segments; a second sealer of the same files gets Conflict."""
    rows = sum(part.rows for part in parts)
    try:
        with transaction.atomic():
            SealedJournal.objects.bulk_create(SealedJournal(name=name, rows=rows) for name in journals)
    except IntegrityError:
        raise Conflict("Another sealer was faster; nothing was written twice.") from None
    return [_note(actor, part) for part in parts]


def _note(actor: Actor, part: SealedPart) -> LogSegment:
    segment = LogSegment.objects.create(
        endpoint_id=part.deployment.endpoint_id,
        deployment=part.deployment,
        slot=part.slot,
        date=part.hour.date(),
        hour=part.hour.hour,
        key=part.key,
        sha256=part.sha256,
        size=part.size,
        rows=part.rows,
        requests=part.requests,
        failed=part.failed,
        refused=part.refused,
        served_from=part.served_from,
        served_to=part.served_to,
        event_from=part.event_from,
        event_to=part.event_to,
    )
    after = {"key": part.key, "sha256": part.sha256, "rows": part.rows}
    record(actor=actor, action="deployments.segment_sealed", target=segment, after=after)
    body = {
        "segment": str(segment.pk),
        "endpoint": str(segment.endpoint_id),
        "deployment": str(part.deployment.pk),
        "model": str(part.deployment.endpoint.model_id),
        "slot": part.slot,
        "rows": part.rows,
        "event_from": part.event_from.isoformat(),
        "event_to": part.event_to.isoformat(),
    }
    emit("deployments.segment_sealed", segment, body)
    return segment
