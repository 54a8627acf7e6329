"""Files out: streamed to a name of their own, checked, and only then put in place.

What is cut goes on where it broke, at once or when the same is asked again (RFC 9110, section 14).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from controlplane_client.errors import ControlPlaneError
from controlplane_client.records import File
from controlplane_client.transport import TRIES, Transport, is_passing, wait

Received = Callable[[int], None]
CHUNK = 1 << 20


class Arrived:
    """What has arrived of a file, on disk, and its digest so far."""

    def __init__(self, place: Path, file: File, on_received: Received | None) -> None:
        # Of the content: what is left of another file is never taken for this one's beginning.
        self.path, self.file = place.with_name(f".{file.sha256[:32]}.part"), file
        self._on_received, self._said = on_received, 0
        self._target = self.path.open("a+b")
        self._target.seek(0)
        self.size, self._digest = 0, hashlib.sha256()
        while chunk := self._target.read(CHUNK):
            self._count(chunk)

    @property
    def is_right(self) -> bool:
        return self.sha256 == self.file.sha256

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def add(self, chunk: bytes) -> None:
        self._target.write(chunk)
        self._count(chunk)

    def begin_anew(self) -> None:
        self._target.truncate(0)
        self.size, self._digest = 0, hashlib.sha256()

    def close(self) -> None:
        self._target.close()

    def _count(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self.size += len(chunk)
        if self._on_received and self.size > self._said:
            self._on_received(self.size - self._said)
            self._said = self.size


def fetch(
    transport: Transport, base: str, file: File, folder: Path, on_received: Received | None = None
) -> Path:
    """One file of a version; a wrong digest leaves nothing behind, a cut what had arrived."""
    place = placed(folder, file.path)
    place.parent.mkdir(parents=True, exist_ok=True)
    arrived = Arrived(place, file, on_received)
    try:
        was_begun = arrived.size > 0
        _receive(transport, f"{base}/{quote(file.path)}", arrived)
        if was_begun and not arrived.is_right:  # what lay here was not its beginning
            arrived.begin_anew()
            _receive(transport, f"{base}/{quote(file.path)}", arrived)
    finally:
        arrived.close()
    if not arrived.is_right:
        arrived.path.unlink()
        raise _differs(file.path, arrived.sha256, file.sha256)
    os.replace(arrived.path, place)
    return place


def _receive(transport: Transport, address: str, arrived: Arrived) -> None:
    """All that is missing; as often as some of it comes, and a few times when nothing does."""
    failures = 0
    while not arrived.size or arrived.size < arrived.file.size:
        before = arrived.size
        try:
            _receive_once(transport, address, arrived)
            return
        except ControlPlaneError as error:
            failures = 1 if arrived.size > before else failures + 1
            if failures == TRIES or not (error.status == 0 or is_passing(error)):
                raise
            transport.sleep(wait(failures))


def _receive_once(transport: Transport, address: str, arrived: Arrived) -> None:
    rest = {"Range": f"bytes={arrived.size}-", "If-Range": f'"{arrived.file.sha256}"'}
    with transport.stream(address, rest if arrived.size else None) as response:
        if response.status_code != 206:
            arrived.begin_anew()
        for chunk in response.iter_bytes(CHUNK):
            arrived.add(chunk)
            if arrived.size > arrived.file.size:  # not this file, and perhaps without an end
                return


def placed(folder: Path, path: str) -> Path:
    """Where the file goes: below the folder, whatever the server calls it."""
    parts = path.split("/")
    if any(part in {"", ".", ".."} or "\\" in part or ":" in part or "\x00" in part for part in parts):
        raise ControlPlaneError(
            {"code": "unsafe_path", "title": "Unsafe path", "detail": f"{path!r} is no path below a folder."}
        )
    return folder.joinpath(*parts)


def matches(place: Path, file: File) -> bool:
    """Whether exactly this file is there already."""
    return place.is_file() and place.stat().st_size == file.size and sha256_of(place) == file.sha256


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _differs(path: str, found: str, expected: str) -> ControlPlaneError:
    detail = f"{path} has SHA-256 {found}, and the manifest says {expected}. It was not kept."
    return ControlPlaneError({"code": "digest_mismatch", "title": "Digest mismatch", "detail": detail})
