"""Files that people send: into the store while they are hashed, up to the limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from core.errors import TooLarge
from core.object_store import StoredObject, store


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
