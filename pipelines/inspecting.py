"""Having a version read in a sandbox: the worker's side of ``pipelines.compute.inspection``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

from core.errors import DomainError, Invalid
from core.jobs import Lease
from core.object_store import store
from pipelines.inspected import Inspected, moment
from pipelines.models import DataContract, DatasetVersion
from pipelines.sandbox import Limits, Mount, Sandbox, ask

INSPECTION = "pipelines.compute.inspection"
LIMITS = Limits(cpu_seconds=300, wall_seconds=420, memory_bytes=6 << 30, file_bytes=4 << 30)


def fetched(digest: str, path: Path) -> Path:
    """A private copy of stored bytes, proven to be those of ``digest``."""
    found = store().copy_to(digest, path)
    if found.digest != digest:
        raise DomainError(
            f"The stored bytes hash to sha256:{found.digest}, registered was sha256:{digest}.",
            code="digest_mismatch",
        )
    return path


def read_version(
    lease: Lease, version: DatasetVersion, contract: DataContract | None
) -> tuple[Inspected, Sandbox]:
    """Read, describe and check an upload; CSV becomes Parquet. Invalid says why it cannot be read."""
    dataset = version.dataset
    with tempfile.TemporaryDirectory(prefix="inspection-") as name:
        folder = Path(name)
        (folder / "out").mkdir()
        path = fetched(version.source_digest, folder / "table")
        is_csv = version.source_format == DatasetVersion.Format.CSV
        lease.progress(20, "Reading the table")
        request = {
            "path": "/table",
            "format": version.source_format,
            "event_time_column": dataset.event_time_column,
            "key_columns": [*dataset.key_columns, *filter(None, [dataset.label_column])],
            "contract": contract.document if contract else None,
            "folder": "/out" if is_csv else "",
        }
        mounts = [Mount(path, "/table"), Mount(folder / "out", "/out", is_writable=True)]
        answer, program = _asked(lease, request, mounts)
        lease.progress(80, "Keeping what was found")
        kept = store().put_file(folder / "out" / "table.parquet") if is_csv else None
    return (
        Inspected(
            digest=kept.digest if kept else version.source_digest,
            size=kept.size if kept else version.source_size,
            rows=answer["rows"],
            schema=answer["schema"],
            profile=answer["profile"],
            event_time_from=moment(answer["event_time_from"]),
            event_time_to=moment(answer["event_time_to"]),
            results=answer["results"],
        ),
        program,
    )


def check_version(
    lease: Lease, version: DatasetVersion, contract: DataContract
) -> tuple[list[dict[str, Any]], Sandbox]:
    """Look at every rule of a contract on a version that was read before."""
    with tempfile.TemporaryDirectory(prefix="inspection-") as name:
        path = fetched(version.digest, Path(name) / "table")
        request = {"path": "/table", "format": "parquet", "contract": contract.document, "profile": False}
        answer, program = _asked(lease, request, [Mount(path, "/table")])
    return answer["results"], program


def _asked(lease: Lease, request: dict[str, Any], mounts: list[Mount]) -> tuple[dict[str, Any], Sandbox]:
    answer, program = ask(
        INSPECTION,
        request,
        mounts=mounts,
        limits=LIMITS,
        required=settings.SANDBOX == "required",
        watch=lease.check,
    )
    if refused := answer.get("unreadable"):
        raise Invalid(refused["message"], field=refused["field"], allowed=refused["allowed"] or None)
    return answer, program
