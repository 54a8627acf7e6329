"""Reading data set versions from databases the operator configured."""

from __future__ import annotations

import re

from django.conf import settings
from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import Invalid, NotAllowed
from core.jobs import enqueue
from core.text import checked_text
from pipelines import rights
from pipelines.models import Dataset, DatasetQuery, DatasetVersion

QUERY = "pipelines.run_query"
LONGEST_QUERY = 20_000
READS = re.compile(r"^\s*(select|with|values|table)\b", re.IGNORECASE)
Status = DatasetQuery.Status


@command
def request_query(
    *, actor: Actor, dataset: Dataset, source: str, query: str, label: str = ""
) -> DatasetQuery:
    """Have a worker read the rows of a query as a new version of the data set."""
    if not (rights.may_register(actor, dataset) and rights.may_create(actor)):
        raise NotAllowed(
            f"You may not read data into {dataset}; it needs the right to register and the role data-scientist."
        )
    row = DatasetQuery.objects.create(
        dataset=dataset,
        source=_checked_source(source),
        query=_checked_query(query),
        label=checked_text(label, "label", 100),
        requested_by_id=actor.account_id,
    )
    row.refresh_from_db()
    after = {"source": row.source, "query": row.query, "label": row.label}
    record(actor=actor, action="pipelines.query_requested", target=dataset, after=after)
    enqueue(QUERY, subject=row, actor=actor)
    return row


@command
def end_query(*, actor: Actor, query: DatasetQuery, version: DatasetVersion) -> DatasetQuery:
    """Its rows are registered as ``version``, new or known."""
    _require_system(actor)
    query.move_to(Status.SUCCEEDED, version=version, finished_at=Now())
    record(actor=actor, action="pipelines.query_read", target=version, after={"source": query.source})
    return query


@command
def fail_query(*, actor: Actor, query: DatasetQuery, reason: str) -> DatasetQuery:
    """Say why no version came of it."""
    _require_system(actor)
    query.move_to(Status.FAILED, failure=reason.replace("\x00", "")[:1000], finished_at=Now())
    record(
        actor=actor,
        action="pipelines.query_failed",
        target=query.dataset,
        after={"source": query.source},
        reason=reason[:1000],
        outcome="failed",
    )
    return query


def _checked_source(value: str) -> str:
    name = checked_text(value, "source", 100, min_length=1).lower()
    if name not in settings.DATASETS_SQL_SOURCES:
        allowed = ", ".join(settings.DATASETS_SQL_SOURCES) or "none is configured"
        raise Invalid(f"source must be one of: {allowed}.", field="source", allowed=allowed)
    return name


def _checked_query(value: str) -> str:
    text = checked_text(value, "query", LONGEST_QUERY, min_length=1, multiline=True).strip()
    if not READS.match(text):
        allowed = "one statement that starts with SELECT, WITH, VALUES or TABLE"
        raise Invalid(f"query must be {allowed}.", field="query", allowed=allowed)
    return text


def _require_system(actor: Actor) -> None:
    if not actor.is_system:
        raise NotAllowed("Only a worker reads queries.")
