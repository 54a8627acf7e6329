"""Reading a query or a prefix as a version: the worker's side."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.actors import actor_for
from core.actors import Actor
from core.errors import DomainError
from core.jobs import Lease
from pipelines import services
from pipelines.collecting import collect
from pipelines.models import DatasetQuery, DatasetVersion
from pipelines.sources.models import Source
from pipelines.sources.rights import may_use

MOST_ROWS = 20_000_000
QUERYING = "pipelines.compute.querying"


def read_query(lease: Lease, query: DatasetQuery) -> tuple[DatasetVersion, list[dict[str, Any]]]:
    """The version that the rows are, registered as whoever asked, with the rights they hold now.

    Of an S3 source also which objects they came from.
    """
    actor, source = _asking(lease, query), Source.objects.filter(name=query.source, kind=query.kind).first()
    if source is None or not may_use(actor, source):
        raise DomainError(
            f"The source {query.source} is no longer there for whoever asked.", code="source_missing"
        )
    with tempfile.TemporaryDirectory(prefix="query-") as name:
        folder, objects = Path(name), list[dict[str, Any]]()
        lease.progress(10, f"Reading from {source}")
        if source.is_s3:
            path, objects = collect(lease, source, query.query, folder)
        else:
            path = _queried(lease, query, folder)
        lease.progress(80, "Registering the rows")
        said = f"{source}: {query.query or 'everything'}" if source.is_s3 else f"query of {source}"
        version = services.register_version(
            actor=actor,
            dataset=query.dataset,
            content=path,
            label=query.label,
            source_name=said[:255],
        )
    return version, objects


def _queried(lease: Lease, query: DatasetQuery, folder: Path) -> Path:
    address = settings.DATASETS_SQL_SOURCES.get(query.source)
    if not address:
        raise DomainError(f"The source {query.source} is no longer configured.", code="source_missing")
    # Loaded only by a worker that reads a query: the web must not carry it.
    querying, path = import_module(QUERYING), folder / "rows.parquet"
    try:
        querying.write_query(
            address,
            query.query,
            path,
            timeout_seconds=settings.DATASETS_SQL_TIMEOUT_SECONDS,
            most_rows=MOST_ROWS,
            most_bytes=settings.DATASETS_LARGEST_UPLOAD_BYTES,
            watch=lease.check,
        )
    except querying.Unqueryable as error:
        raise DomainError(str(error), code="query_refused") from error
    return path


def _asking(lease: Lease, query: DatasetQuery) -> Actor:
    if query.requested_by is None:
        return Actor.system(lease)
    return actor_for(
        query.requested_by,
        via="system",
        job_id=lease.job_id,
        job_attempt=lease.attempt,
        job_fence=lease.fence,
        request_id=lease.job.request_id,
    )
