"""Which bytes of a file a request asks for (RFC 9110, section 14).

One range, also counted from the end, is answered alone; several are answered by the whole, which
the section leaves to us, and so is what cannot be read. Django knows no ranges, Starlette's are
for files on disk and granian's for static ones; Werkzeug, which MLflow brings, reads the header.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from werkzeug.http import parse_range_header

from core.errors import RangeNotSatisfiable
from core.object_store import CHUNK


@dataclass(frozen=True)
class Part:
    """Bytes from ``start`` up to, without, ``stop`` of a file of that size."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        return self.stop - self.start

    @property
    def is_whole(self) -> bool:
        return self.length == self.size

    def __str__(self) -> str:
        """As Content-Range says it."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"

    def read(self, content: BinaryIO) -> Iterator[bytes]:
        """These bytes, piece by piece; the content is closed with the last."""
        with content:
            left = self.length
            content.seek(self.start)
            while piece := content.read(min(CHUNK, left)):
                left -= len(piece)
                yield piece


def part_of(headers: Mapping[str, str], size: int, etag: str) -> Part | None:
    """The part that a GET with these headers wants; None where the whole is its answer.

    A range that rests on another content (If-Range) is the whole of this one: ``etag`` is strong,
    so that parts of two answers may be put together only where they are of the same bytes.
    """
    asked = parse_range_header(headers.get("Range"))
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return None
    if headers.get("If-Range", etag) != etag:
        return None
    start, stop = asked.ranges[0]
    start = max(0, size + start) if start < 0 else start
    if start >= size:
        raise RangeNotSatisfiable(
            f"The file has {size} bytes, so it has none from {start}.",
            field="Range",
            allowed=f"bytes=0-{size - 1}" if size else "no Range: the file is empty",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return Part(start, min(size, stop or size), size)
