"""Data set versions as attachments."""

from __future__ import annotations

from django.http import FileResponse

from core.object_store import store
from pipelines.models import DatasetVersion


def sent(version: DatasetVersion) -> FileResponse:
    """The version's Parquet file, saved and never shown by a browser."""
    name = f"{version.dataset.name}-v{version.number}.parquet"
    answer = FileResponse(
        store().open(version.digest),
        as_attachment=True,
        filename=name,
        content_type="application/vnd.apache.parquet",
    )
    answer["Content-Security-Policy"] = "sandbox"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["ETag"] = f'"{version.digest}"'
    return answer
