"""The prediction log's first home: an append-only file, on disk before the answer is sent.

A file is ``CPJ1`` and then records of length, CRC-32 and payload. Its owner holds a lock on
it; a file without a living owner is recovered by cutting the torn record at its end, whose
answer can never have been sent.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import queue
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

MAGIC = b"CPJ1"
HEAD = struct.Struct(">II")
MAX_RECORD = 128 << 20
OPEN, CLOSED, FRESH = ".open", ".closed", ".fresh"


class JournalFailed(Exception):
    """The record is not safely on disk, so the prediction must not be answered."""


@dataclass
class _Waiting:
    payload: bytes
    loop: asyncio.AbstractEventLoop
    written: asyncio.Future[None]


class Journal:
    """Appends from any event loop; one thread writes groups and syncs each group once.

    ``is_durable=False`` is the operator's buffered mode: faster, and the last moments may be
    lost with the machine (not with the process).
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        rotate_bytes: int = 16 << 20,
        rotate_seconds: float = 10.0,
        is_durable: bool = True,
    ) -> None:
        self.folder, self.name = folder, name
        self.rotate_bytes, self.rotate_seconds, self.is_durable = rotate_bytes, rotate_seconds, is_durable
        self.records = 0
        self.syncs = 0
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._file: _OpenFile | None = None
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    async def append(self, payload: bytes) -> None:
        """Return once the record is on disk; raise JournalFailed when it is not."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(payload, loop, loop.create_future())
        self._queue.put(waiting)
        await waiting.written

    def close(self) -> None:
        """Write what waits and close the file, so that it can be sealed at once."""
        self._queue.put(None)
        self._thread.join(10)

    def _work(self) -> None:
        while True:
            try:
                group, is_last = self._next_group()
            except queue.Empty:
                self._rotate()
                continue
            if group:
                self._write(group)
            if is_last:
                self._rotate()
                return

    def _next_group(self) -> tuple[list[_Waiting], bool]:
        """Everything that waits now; blocks until there is something or the file is due to rotate."""
        due = self._file.opened + self.rotate_seconds - time.monotonic() if self._file else None
        if due is not None and due <= 0:
            raise queue.Empty
        first = self._queue.get(timeout=due)
        group: list[_Waiting] = []
        while first is not None:
            group.append(first)
            try:
                first = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _write(self, group: list[_Waiting]) -> None:
        failure: OSError | None = None
        try:
            if self._file is None:
                self._file = _OpenFile(self.folder, self.name)
            self._file.write(b"".join(framed(each.payload) for each in group), self.is_durable)
            self.records += len(group)
            self.syncs += 1
        except OSError as error:
            failure = error
            log.error("the prediction journal cannot be written: %s", error)
            self._abandon()
        for each in group:
            each.loop.call_soon_threadsafe(_settle, each.written, failure)
        if self._file and self._file.size >= self.rotate_bytes:
            self._rotate()

    def _rotate(self) -> None:
        if self._file is None:
            return
        try:
            self._file.finish()
        except OSError as error:  # the file stays open by name and is adopted once we are gone
            log.error("the prediction journal cannot be closed: %s", error)
        self._file = None

    def _abandon(self) -> None:
        """After a failed write nothing may follow the half-written record in the same file."""
        failed, self._file = self._file, None
        if failed is not None:
            try:
                failed.cut()
                failed.finish()
            except OSError:
                failed.release()


class _OpenFile:
    """A journal file that this process owns."""

    def __init__(self, folder: Path, name: str) -> None:
        self.opened = time.monotonic()
        self.path = folder / f"{name}-{time.time_ns()}{OPEN}"
        fresh = self.path.with_suffix(FRESH)
        self.descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(self.descriptor, MAGIC)
            os.fsync(self.descriptor)
            os.rename(fresh, self.path)
            sync_folder(folder)
        except OSError:
            os.close(self.descriptor)
            fresh.unlink(missing_ok=True)
            raise
        self.size = len(MAGIC)

    def write(self, block: bytes, is_durable: bool) -> None:
        view = memoryview(block)
        while view:
            view = view[os.write(self.descriptor, view) :]
        if is_durable:
            os.fdatasync(self.descriptor)
        self.size += len(block)

    def cut(self) -> None:
        """Drop what follows the last group that was written whole."""
        os.ftruncate(self.descriptor, self.size)

    def finish(self) -> None:
        """Hand the file over to the sealer; an empty one leaves nothing behind."""
        os.fdatasync(self.descriptor)
        if self.size == len(MAGIC):
            self.path.unlink(missing_ok=True)
        else:
            os.rename(self.path, self.path.with_suffix(CLOSED))
            sync_folder(self.path.parent)
        self.release()

    def release(self) -> None:
        os.close(self.descriptor)


def framed(payload: bytes) -> bytes:
    """One record as it lies in the file."""
    return HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def read(path: Path) -> Iterator[bytes]:
    """The whole records of a file, up to the first torn one."""
    for payload, _ in _records(path):
        yield payload


def _records(path: Path) -> Iterator[tuple[bytes, int]]:
    """Each payload and the offset after it."""
    with path.open("rb") as source:
        if source.read(len(MAGIC)) != MAGIC:
            return
        while len(head := source.read(HEAD.size)) == HEAD.size:
            length, checksum = HEAD.unpack(head)
            if length > MAX_RECORD:
                return
            payload = source.read(length)
            if len(payload) != length or zlib.crc32(payload) != checksum:
                return
            yield payload, source.tell()


def recover(path: Path) -> int:
    """Cut the torn tail of a file whose owner died; answer the number of bytes cut."""
    whole = max((end for _, end in _records(path)), default=len(MAGIC))
    torn = path.stat().st_size - whole
    if torn > 0:
        with path.open("rb+") as file:
            file.truncate(whole)
            os.fsync(file.fileno())
    return max(0, torn)


def adopt(folder: Path) -> list[Path]:
    """Close the files of owners that died, and answer every file ready for the sealer."""
    for path in sorted(folder.glob(f"*{OPEN}")):
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if cut := recover(path):
                log.warning("cut %d torn bytes off %s: their answer was never sent", cut, path.name)
            os.rename(path, path.with_suffix(CLOSED))
        except (BlockingIOError, FileNotFoundError):
            continue  # its owner lives, or another sealer was faster
        finally:
            os.close(descriptor)
    for leftover in folder.glob(f"*{FRESH}"):
        if time.time() - leftover.stat().st_mtime > 60:
            leftover.unlink(missing_ok=True)
    return sorted(folder.glob(f"*{CLOSED}"))


def sync_folder(folder: Path) -> None:
    """Make names in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _settle(written: asyncio.Future[None], failure: OSError | None) -> None:
    if written.done():
        return
    if failure is None:
        written.set_result(None)
    else:
        written.set_exception(JournalFailed(str(failure)))
