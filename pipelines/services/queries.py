"""Reading data set versions from sources that an administrator named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import Invalid, NotAllowed
from core.jobs import enqueue
from core.text import checked_json, checked_text
from pipelines import rights
from pipelines.models import Dataset, DatasetQuery, DatasetVersion
from pipelines.sources.models import Source
from pipelines.sources.places import checked_prefix

QUERY = "pipelines.run_query"
LONGEST_QUERY = 20_000
READS = re.compile(r"^\s*(select|with|values|table)\b", re.IGNORECASE)
Status = DatasetQuery.Status


@command
def request_query(
    *, actor: Actor, dataset: Dataset, source: str, query: str = "", prefix: str = "", label: str = ""
) -> DatasetQuery:
    """Have a worker read rows as a new version: of a database's query, or beneath an S3 prefix."""
    if not (rights.may_register(actor, dataset) and rights.may_create(actor)):
        raise NotAllowed(
            f"You may not read data into {dataset}; it needs the right to register and the role data-scientist."
        )
    found = _checked_source(actor, source)
    row = DatasetQuery.objects.create(
        dataset=dataset,
        source=found.name,
        kind=found.kind,
        query=_checked_prefix(query, prefix) if found.is_s3 else _checked_query(query, prefix),
        label=checked_text(label, "label", 100),
        requested_by_id=actor.account_id,
    )
    row.refresh_from_db()
    asked = {"prefix": row.query} if row.is_s3 else {"query": row.query}
    after = {"source": row.source, **asked, "label": row.label}
    record(actor=actor, action="pipelines.query_requested", target=dataset, after=after)
    enqueue(QUERY, subject=row, actor=actor)
    return row


@command
def end_query(
    *, actor: Actor, query: DatasetQuery, version: DatasetVersion, objects: Sequence[dict[str, Any]] = ()
) -> DatasetQuery:
    """Its rows are registered as ``version``, new or known."""
    _require_system(actor)
    read = checked_json(list(objects), "objects")
    query.move_to(Status.SUCCEEDED, version=version, objects_read=read, finished_at=Now())
    after = {"source": query.source, **({"objects": len(read)} if read else {})}
    record(actor=actor, action="pipelines.query_read", target=version, after=after)
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


def _checked_source(actor: Actor, value: str) -> Source:
    """One that was granted to the actor; of the others nobody learns here whether they exist."""
    name = checked_text(value, "source", 100, min_length=1).lower()
    usable = {each.name: each for each in Source.objects.granted_to(actor).order_by("name")}
    if actor.is_system:
        usable = {each.name: each for each in Source.objects.filter(name=name)}
    if name not in usable:
        allowed = ", ".join(usable) or "none was granted to you"
        raise Invalid(f"source must be one of: {allowed}.", field="source", allowed=allowed)
    return usable[name]


def _checked_query(value: str, prefix: str) -> str:
    if prefix:
        raise Invalid("prefix is for S3 sources; this one is a database.", field="prefix", allowed="nothing")
    text = checked_text(value, "query", LONGEST_QUERY, min_length=1, multiline=True).strip()
    if not READS.match(text):
        allowed = "one statement that starts with SELECT, WITH, VALUES or TABLE"
        raise Invalid(f"query must be {allowed}.", field="query", allowed=allowed)
    return text


def _checked_prefix(query: str, value: str) -> str:
    if query:
        raise Invalid(
            "query is for databases; this source is an S3 prefix.", field="query", allowed="nothing"
        )
    return checked_prefix(value)


def _require_system(actor: Actor) -> None:
    if not actor.is_system:
        raise NotAllowed("Only a worker reads queries.")
