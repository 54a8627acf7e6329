"""Just enough HTTP/1.1 between gateway and scorer: keep-alive, Content-Length, a unix socket.

Both ends are ours and on one host, so this costs a tenth of a general client and server.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable

MAX_HEAD = 16 << 10
MAX_BODY = 64 << 20
REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

Handler = Callable[[str, str, bytes], Awaitable[tuple[int, bytes]]]


class WireError(Exception):
    """The other end is gone, silent or does not speak our protocol."""


async def read_message(reader: asyncio.StreamReader) -> tuple[str, bytes] | None:
    """The start line and body of the next message; None when the connection ended before one."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise WireError("the connection ended within a head") from error
    except asyncio.LimitOverrunError as error:
        raise WireError("the head is too long") from error
    start, *lines = head[:-4].decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY:
        raise WireError(f"Content-Length must be at most {MAX_BODY}")
    try:
        return start, await reader.readexactly(int(length))
    except asyncio.IncompleteReadError as error:
        raise WireError("the connection ended within a body") from error


async def serve(listener: socket.socket, handle: Handler) -> asyncio.Server:
    """Answer requests on a listening unix socket with ``handle(method, path, body)``."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (message := await read_message(reader)) is not None:
                method, target, _ = message[0].split(" ", 2)
                status, body = await handle(method, target, message[1])
                writer.write(
                    f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (WireError, ConnectionError, ValueError, asyncio.CancelledError):
            pass  # nobody is left to answer: the client went, or we are stopping
        finally:
            writer.close()

    return await asyncio.start_unix_server(converse, sock=listener, limit=MAX_HEAD)


class Pool:
    """Kept-alive connections to one unix socket, for one event loop."""

    def __init__(self, path: str, *, most_idle: int = 16) -> None:
        self.path = path
        self._idle: deque[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = deque(maxlen=most_idle)

    async def request(
        self, method: str, target: str, body: bytes = b"", *, timeout: float
    ) -> tuple[int, bytes]:
        """Status and body. Scoring changes nothing, so a connection that went stale is replaced once."""
        try:
            async with asyncio.timeout(timeout):
                while self._idle:
                    try:
                        return await self._converse(*self._idle.pop(), method, target, body)
                    except (WireError, ConnectionError):
                        continue
                try:
                    connection = await asyncio.open_unix_connection(self.path, limit=MAX_HEAD)
                except OSError as error:
                    raise WireError(f"no answer from the scorer: {error.strerror}") from error
                try:
                    return await self._converse(*connection, method, target, body)
                except ConnectionError as error:
                    raise WireError("the scorer closed the connection") from error
        except TimeoutError as error:
            raise WireError(f"no answer from the scorer within {timeout:g} s") from error

    async def _converse(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        method: str,
        target: str,
        body: bytes,
    ) -> tuple[int, bytes]:
        is_whole = False
        try:
            writer.write(f"{method} {target} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
            message = await read_message(reader)
            if message is None:
                raise WireError("the scorer closed the connection")
            is_whole = True
        finally:
            if is_whole and len(self._idle) < (self._idle.maxlen or 0):
                self._idle.append((reader, writer))
            else:
                writer.close()
        return int(message[0].split(" ", 2)[1]), message[1]

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()
