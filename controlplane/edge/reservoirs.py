"""Answers of web that their clients take more slowly than web gives them.

Web has few threads, and one that waits for a client serves nobody else. So what a client leaves
waits here: a little in memory, then on the disk, for so many answers at once. Beyond that web's
thread waits, but for a few; who asks for more is cut off and may go on where it was (RFC 9110,
Range), and so is who takes nothing for a minute.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import BinaryIO

from controlplane.edge.places import Places

IN_MEMORY, ON_DISK = 1 << 20, 256 << 20
MOST_FILES, MOST_FILES_OF_ONE = 32, 8
MOST_WAITING, MOST_WAITING_OF_ONE = 4, 2
PIECE = 256 << 10


class TooSlow(Exception):
    """The client does not take its answer, and too many others wait for theirs."""


class Reservoirs:
    """What all answers share."""

    def __init__(self) -> None:
        self.files = Places(MOST_FILES, MOST_FILES_OF_ONE)
        self.waiting = Places(MOST_WAITING, MOST_WAITING_OF_ONE)

    async def read_ahead(
        self, source: AsyncIterator[bytes], who: str, give: Callable[[bytes], Awaitable[None]]
    ) -> None:
        """Give each piece of the source, which is read whether or not it can be given yet.

        What goes wrong at either side ends both at once, so that nobody goes on waiting.
        """
        reservoir = Reservoir(self, who)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(reservoir.fill(source))
                while piece := await reservoir.take():
                    await give(piece)
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        finally:
            reservoir.close()


class Reservoir:
    """One answer: pieces in memory first, those behind them in a file until that has been read out."""

    def __init__(self, shared: Reservoirs, who: str) -> None:
        self.shared, self.who = shared, who
        self._pieces: deque[bytes] = deque()
        self._file: BinaryIO | None = None
        self._written = self._read = 0
        self._is_ended = False
        self._changed = asyncio.Condition()

    async def fill(self, source: AsyncIterator[bytes]) -> None:
        async for piece in source:
            await self._put(piece)
        async with self._changed:
            self._is_ended = True
            self._changed.notify_all()

    async def take(self) -> bytes:
        """The next piece; empty at the end."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._pieces or self._written or self._is_ended)
            piece = self._pieces.popleft() if self._pieces else await self._from_file()
            self._changed.notify_all()
            return piece

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            self.shared.files.give_back(self.who)

    async def _put(self, piece: bytes) -> None:
        async with self._changed:
            if not self._has_room(piece):
                await self._wait_for_room(piece)
            if self._fits_in_memory(piece):
                self._pieces.append(piece)
            else:
                await asyncio.to_thread(_write, self._fileno(), piece, self._written)
                self._written += len(piece)
            self._changed.notify_all()

    async def _wait_for_room(self, piece: bytes) -> None:
        if not self.shared.waiting.take(self.who):
            raise TooSlow("The client takes its answer too slowly; it was cut off.")
        try:
            await self._changed.wait_for(lambda: self._has_room(piece))
        finally:
            self.shared.waiting.give_back(self.who)

    def _has_room(self, piece: bytes) -> bool:
        if self._fits_in_memory(piece):
            return True
        if self._file is None and self.shared.files.take(self.who):
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the reservoir
        return self._file is not None and (not self._written or self._written + len(piece) <= ON_DISK)

    def _fits_in_memory(self, piece: bytes) -> bool:
        if self._written:
            return False
        return not self._pieces or sum(map(len, self._pieces)) + len(piece) <= IN_MEMORY

    async def _from_file(self) -> bytes:
        if not self._written:
            return b""
        size = min(PIECE, self._written - self._read)
        piece = await asyncio.to_thread(os.pread, self._fileno(), size, self._read)
        self._read += len(piece)
        if self._read == self._written:  # begun anew, so that it never grows beyond its limit
            self._read = self._written = 0
        return piece

    def _fileno(self) -> int:
        assert self._file is not None
        return self._file.fileno()


def _write(file: int, piece: bytes, at: int) -> None:
    while piece:
        done = os.pwrite(file, piece, at)
        piece, at = piece[done:], at + done
