"""Reading a prefix as a version: objects are fetched here and put together in a sandbox."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings

from core.errors import Invalid, TooLarge
from core.jobs import Lease
from pipelines.sandbox import Limits, Mount, ask
from pipelines.sources.models import Source

COMBINING = "pipelines.compute.combining"
BUCKET = "pipelines.sources.bucket"
LIMITS = Limits(cpu_seconds=300, wall_seconds=420, memory_bytes=6 << 30, file_bytes=4 << 30)


def collect(lease: Lease, source: Source, prefix: str, folder: Path) -> tuple[Path, list[dict[str, Any]]]:
    """The rows of every object beneath the prefix in one file, and what was read."""
    # boto3 costs a process 25 MB: only a worker that reads a bucket pays for it.
    place = import_module(BUCKET).Prefix(source, prefix)
    listed = place.listed()
    most = settings.DATASETS_LARGEST_UPLOAD_BYTES
    if (size := sum(each.size for each in listed)) > most:
        raise TooLarge(f"The objects have {size:,} bytes together; at most {most:,} are read.")
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    fetched = []
    for number, each in enumerate(listed):
        lease.progress(10 + 50 * number // len(listed), f"Reading object {number + 1} of {len(listed)}")
        fetched.append(place.fetch(each, folder / "in" / str(number), lease.check))
    place.require_same(listed)
    objects = [each.as_json() for each in fetched]
    lease.progress(60, "Putting the objects together")
    request = {
        "from": "/in",
        "to": "/out",
        "objects": [{**said, "format": each.format} for said, each in zip(objects, fetched, strict=True)],
    }
    return _combined(lease, request, folder), objects


def _combined(lease: Lease, request: dict[str, Any], folder: Path) -> Path:
    answer, _ = ask(
        COMBINING,
        request,
        mounts=[Mount(folder / "in", "/in"), Mount(folder / "out", "/out", is_writable=True)],
        limits=LIMITS,
        required=settings.SANDBOX == "required",
        watch=lease.check,
    )
    if refused := answer.get("unreadable"):
        raise Invalid(refused["message"], field=refused["field"], allowed=refused["allowed"] or None)
    return folder / "out" / "table.parquet"
