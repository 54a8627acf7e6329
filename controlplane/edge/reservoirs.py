"""Answers of web that their clients take more slowly than web gives them.

Web has few threads, and one that waits for a client serves nobody else. So what a client leaves
waits here: a little in memory, then on the disk. Of answers larger than that a few may make their
thread wait. Who asks for more at once is told to come back before anything of it is sent; who takes
nothing for a minute is cut off, and may go on where it was (RFC 9110, Range).
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, BinaryIO

from controlplane.edge.answers import Refused
from controlplane.edge.places import Places

IN_MEMORY, ON_DISK = 1 << 20, 256 << 20
MOST_FILES, MOST_FILES_OF_ONE = 48, 16
MOST_WAITING, MOST_WAITING_OF_ONE = 4, 3
PIECE = 256 << 10


class TooSlow(Exception):
    """The client does not take its answer, and too many others wait for theirs."""


class Reservoirs:
    """What all answers share."""

    def __init__(self) -> None:
        self.files = Places(MOST_FILES, MOST_FILES_OF_ONE)
        self.waiting = Places(MOST_WAITING, MOST_WAITING_OF_ONE)

    def opened(self, length: int | None, who: str) -> Reservoir:
        """A reservoir for an answer; Refused (503) where an answer of this length has no place now.

        One whose length nobody knows takes its places when it needs them.
        """
        reservoir = Reservoir(self, who)
        if length is None or length <= IN_MEMORY:
            return reservoir
        if not reservoir.takes_file() or (length > ON_DISK and not reservoir.takes_thread()):
            reservoir.close()
            raise Refused(503, "Too many downloads are under way. Try again in a few seconds.")
        return reservoir


class Reservoir:
    """One answer: pieces in memory first, those behind them in a file until that has been read out."""

    def __init__(self, shared: Reservoirs, who: str) -> None:
        self.shared, self.who = shared, who
        self._pieces: deque[bytes] = deque()
        self._file: BinaryIO | None = None
        self._has_file = self._has_thread = False
        self._written = self._read = 0
        self._is_ended = False
        self._changed = asyncio.Condition()

    async def read_ahead(
        self, source: AsyncIterator[bytes], give: Callable[[bytes], Awaitable[None]]
    ) -> None:
        """Give each piece of the source, which is read whether or not it can be given yet.

        What goes wrong at either side ends both at once, so that nobody goes on waiting.
        """
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._fill(source))
                while piece := await self._take():
                    await give(piece)
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    def takes_file(self) -> bool:
        self._has_file = self._has_file or self.shared.files.take(self.who)
        return self._has_file

    def takes_thread(self) -> bool:
        self._has_thread = self._has_thread or self.shared.waiting.take(self.who)
        return self._has_thread

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        for is_held, places in ((self._has_file, self.shared.files), (self._has_thread, self.shared.waiting)):
            if is_held:
                places.give_back(self.who)
        self._file, self._has_file, self._has_thread = None, False, False

    async def _fill(self, source: AsyncIterator[bytes]) -> None:
        async for piece in source:
            await self._put(piece)
        async with self._changed:
            self._is_ended = True
            self._changed.notify_all()

    async def _take(self) -> bytes:
        """The next piece; empty at the end."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._pieces or self._written or self._is_ended)
            piece = self._pieces.popleft() if self._pieces else await self._from_file()
            self._changed.notify_all()
            return piece

    async def _put(self, piece: bytes) -> None:
        async with self._changed:
            if not self._has_room(piece):
                if not self.takes_thread():
                    raise TooSlow("The client takes its answer too slowly; it was cut off.")
                await self._changed.wait_for(lambda: self._has_room(piece))
            if self._fits_in_memory(piece):
                self._pieces.append(piece)
            else:
                await _in_thread(_write, self._fileno(), piece, self._written)
                self._written += len(piece)
            self._changed.notify_all()

    def _has_room(self, piece: bytes) -> bool:
        if self._fits_in_memory(piece):
            return True
        return self.takes_file() and (not self._written or self._written + len(piece) <= ON_DISK)

    def _fits_in_memory(self, piece: bytes) -> bool:
        if self._written:
            return False
        return not self._pieces or sum(map(len, self._pieces)) + len(piece) <= IN_MEMORY

    async def _from_file(self) -> bytes:
        if not self._written:
            return b""
        size = min(PIECE, self._written - self._read)
        piece = await _in_thread(os.pread, self._fileno(), size, self._read)
        self._read += len(piece)
        if self._read == self._written:  # begun anew, so that it never grows beyond its limit
            self._read = self._written = 0
        return piece

    def _fileno(self) -> int:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the reservoir
        return self._file.fileno()


async def _in_thread(work: Callable[..., Any], *about: Any) -> Any:
    """Never left alone: a thread that goes on after a hang-up would use a number that is another file's by then."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *about))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _write(file: int, piece: bytes, at: int) -> None:
    while piece:
        done = os.pwrite(file, piece, at)
        piece, at = piece[done:], at + done
