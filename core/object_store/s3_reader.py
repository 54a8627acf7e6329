"""Reading an object of a bucket as a file."""

from __future__ import annotations

import io
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from core.errors import Conflict, TryLater

TRIES = 4
CHANGED = frozenset({"412", "PreconditionFailed", "404", "NoSuchKey"})


class ObjectChanged(Conflict):
    """Another content has taken the place of the one that was being read."""

    code = "object_changed"


class S3Reader(io.RawIOBase):
    """One request read from front to back; another from wherever a reader jumps to.

    A connection cut in the middle is taken up where it broke, of the same content only. With an
    ``etag`` that content alone is read; the server's refusal is the caller's to explain.
    """

    def __init__(self, client: Any, bucket: str, key: str, etag: str = "") -> None:
        self._client, self._place = client, {"Bucket": bucket, "Key": key}
        answer = client.get_object(**self._place, **({"IfMatch": etag} if etag else {}))
        self._body, self._body_at = answer["Body"], 0
        self._etag, self._size = answer["ETag"], answer["ContentLength"]
        self.version_id: str = answer.get("VersionId", "")
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        content = self._read(wanted)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def close(self) -> None:
        if not self.closed:
            self._drop()
        super().close()

    def _read(self, wanted: int) -> bytes:
        cause: Exception | None = None
        for _ in range(TRIES):
            try:
                self._go_to(self._position)
                content: bytes = self._body.read(wanted)
                if content:
                    self._body_at += len(content)
                    return content
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code", "an error")
                if code in CHANGED:
                    raise ObjectChanged("An object changed while it was read.") from error
                raise TryLater(f"The object store answered {code} while an object was read.") from error
            except (BotoCoreError, OSError) as error:
                cause = error
            self._drop()
        raise TryLater("The object store stopped answering while an object was read.") from cause

    def _go_to(self, position: int) -> None:
        if self._body is not None and self._body_at == position:
            return
        self._drop()
        answer = self._client.get_object(**self._place, Range=f"bytes={position}-", IfMatch=self._etag)
        self._body, self._body_at = answer["Body"], position

    def _drop(self) -> None:
        """Close the connection instead of reading a large rest that nobody wants."""
        if self._body is not None:
            self._body.close()
        self._body = None
