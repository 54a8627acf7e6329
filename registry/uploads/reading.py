"""An upload's files as registration reads them: each is its parts, one after another."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, cast
from uuid import UUID

from core.actors import Actor
from core.errors import Conflict, Invalid, NotFound
from core.object_store import store
from registry.models import ModelVersion
from registry.uploads.models import Upload


class UploadedFiles:
    """An ``ArtifactStorage`` of one upload; its path is always empty."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload

    def files(self, path: str) -> Iterator[tuple[str, BinaryIO]]:
        parts: dict[int, list[str]] = {}
        for number, digest in self.upload.parts.order_by("file", "start").values_list("file", "digest"):
            parts.setdefault(number, []).append(digest)
        for number, file in enumerate(self.upload.files):
            with io.BufferedReader(_Joined(parts.get(number, []))) as content:
                yield file["path"], cast(BinaryIO, content)

    def require_promised(self, manifest: list[dict[str, object]]) -> None:
        """What arrived is what the sender said would come; a file that is not is forgotten, to be sent again."""
        arrived = {entry["path"]: entry["sha256"] for entry in manifest}
        others = [
            number for number, said in enumerate(self.upload.files) if arrived[said["path"]] != said["sha256"]
        ]
        if others:
            self.upload.parts.filter(file__in=others).delete()
            path = self.upload.files[others[0]]["path"]
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            raise Invalid(
                f"{path}{more} arrived with another content than was said. Send it again.", field="source"
            )


class _Joined(io.RawIOBase):
    def __init__(self, digests: list[str]) -> None:
        self._waiting = iter(digests)
        self._open: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        while True:
            if self._open is None:
                digest = next(self._waiting, None)
                if digest is None:
                    return 0
                self._open = store().open(digest)
            content = self._open.read(len(view))
            if content:
                view[: len(content)] = content
                return len(content)
            self._open.close()
            self._open = None

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        super().close()


def uploaded_files(version: ModelVersion, creator: Actor, key: str) -> UploadedFiles:
    """The upload a version is made of: its creator's own, for this model, and whole."""
    upload = None
    with suppress(ValueError):
        upload = Upload.objects.of(creator).filter(pk=UUID(key), model=version.model_id).first()
    if upload is None:
        raise NotFound(f"There is no upload {key}.", field="source")
    if upload.received() != [each["size"] for each in upload.files]:
        raise Conflict(f"The upload {key} is not whole yet; send what is missing and try again.")
    return UploadedFiles(upload)
