"""Reading a query as a version: the worker's side of ``pipelines.compute.querying``."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path

from django.conf import settings

from accounts.actors import actor_for
from core.actors import Actor
from core.errors import DomainError
from core.jobs import Lease
from pipelines import services
from pipelines.models import DatasetQuery, DatasetVersion

MOST_ROWS = 20_000_000
QUERYING = "pipelines.compute.querying"


def read_query(lease: Lease, query: DatasetQuery) -> DatasetVersion:
    """The version that the query's rows are, registered as whoever asked, with the rights they hold now."""
    address = settings.DATASETS_SQL_SOURCES.get(query.source)
    if not address:
        raise DomainError(f"The source {query.source} is no longer configured.", code="source_missing")
    # Loaded only by a worker that reads a query: the web must not carry it.
    querying = import_module(QUERYING)
    with tempfile.TemporaryDirectory(prefix="query-") as folder:
        path = Path(folder) / "rows.parquet"
        lease.progress(10, f"Reading from {query.source}")
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
        lease.progress(80, "Registering the rows")
        return services.register_version(
            actor=_asking(lease, query),
            dataset=query.dataset,
            content=path,
            label=query.label,
            source_name=f"query of {query.source}",
        )


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
