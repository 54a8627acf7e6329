"""Files in and out: into the store while they are hashed, and back as attachments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import FileResponse

from core.errors import TooLarge
from core.object_store import StoredObject, store
from pipelines.models import DatasetVersion


def kept(file: Any) -> StoredObject:
    """The upload in the store, or TooLarge."""
    most = settings.DATASETS_LARGEST_UPLOAD_BYTES

    def measured() -> Iterator[bytes]:
        total = 0
        for chunk in file.chunks():
            total += len(chunk)
            if total > most:
                raise TooLarge(
                    f"file is larger than {most} bytes.", field="file", allowed=f"at most {most} bytes"
                )
            yield chunk

    return store().put_stream(measured())


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
