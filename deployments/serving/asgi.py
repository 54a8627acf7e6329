"""The stable address of every endpoint: bare ASGI, no database on the path of a request.

``POST /endpoints/<environment>/<model>/invocations`` checks the token and the payload, picks a
variant, scores, writes the prediction log and only then answers.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from core.logs import bind
from deployments.serving.directory import Access, Directory
from deployments.serving.journal import Journal
from deployments.serving.prediction import PATIENCE_SECONDS, Answer, Asked, Pairs, Predictor
from deployments.serving.refusal import Refusal
from deployments.serving.routing import Route
from deployments.serving.traffic import Traffic

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_BYTES = 16 << 20
REQUEST_ID = re.compile(r"^[A-Za-z0-9_.-]{8,64}\Z")
NOT_FOUND = "There is no such endpoint, or you may not know that there is."
VERBS = {"ping": ("GET", "HEAD"), "invocations": ("POST",)}


class Gateway:
    """The ASGI application."""

    def __init__(
        self, directory: Directory, journal: Callable[[], Journal], *, patience: float = PATIENCE_SECONDS
    ) -> None:
        self.directory, self._open_journal, self.patience = directory, journal, patience
        self.predictor: Predictor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.open()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def open(self) -> None:
        traffic = Traffic()
        self.predictor = Predictor(self.directory, self._open_journal(), traffic, self.patience)
        self.directory.start(traffic)

    async def close(self) -> None:
        await self.predictor.close()
        self.directory.stop()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        sent = headers.get("x-request-id", "")
        request_id = sent if REQUEST_ID.match(sent) else uuid.uuid4().hex
        bind(request_id=request_id)  # each request has a context of its own
        try:
            status, body, extra = await self._handle(scope, headers, receive)
            kind = b"application/json"
        except Refusal as refusal:
            status, body = refusal.status, refusal.document(scope["path"], request_id)
            extra = [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
            kind = b"application/problem+json"
        except Exception:
            log.exception("request failed")
            refusal = Refusal(500, "internal_error", "The gateway failed. Report the request id.")
            status, body, extra = 500, refusal.document(scope["path"], request_id), []
            kind = b"application/problem+json"
        pairs: Pairs = [
            (b"content-type", kind),
            (b"content-length", str(len(body)).encode()),
            (b"x-request-id", request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
            *extra,
        ]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _handle(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Answer:
        parts = scope["path"].split("/")
        if scope["path"] == "/healthz":
            return 200, b'{"status":"ok"}', []
        if scope["path"] == "/readyz":
            trouble = self.directory.trouble()
            return (503, b'{"status":"not ready"}', []) if trouble else (200, b'{"status":"ready"}', [])
        if len(parts) != 5 or parts[1] != "endpoints" or parts[4] not in {"invocations", "ping"}:
            raise Refusal(
                404,
                "not_found",
                "The gateway answers /endpoints/<environment>/<model>/invocations and …/ping.",
            )
        route = await self._allowed(headers, self.directory.table.route(parts[2], parts[3]))
        if scope["method"] not in VERBS[parts[4]]:
            allow = ", ".join(VERBS[parts[4]])
            raise Refusal(405, "method_not_allowed", f"Use {allow} here.", headers={"Allow": allow})
        if parts[4] == "ping":
            return await self.predictor.ping(route)
        asked = Asked(route, headers, time.perf_counter(), time.time_ns() // 1000)
        return await self.predictor.predict(asked, await read_body(headers, receive))

    async def _allowed(self, headers: dict[str, str], route: Route | None) -> Route:
        access = await self.directory.access(headers.get("authorization", ""), route)
        if access is Access.UNAUTHENTICATED:
            raise Refusal(
                401,
                "unauthenticated",
                "Send a live API token with the scope predict as Authorization: Bearer.",
                headers={"WWW-Authenticate": 'Bearer realm="controlplane"'},
            )
        if access is Access.WRONG_SCOPE:
            raise Refusal(
                403,
                "wrong_scope",
                "Predicting needs a token with the scope predict, of an account that may predict.",
            )
        if access is not Access.ALLOWED or route is None:
            raise Refusal(404, "not_found", NOT_FOUND)
        return route


async def read_body(headers: dict[str, str], receive: Receive) -> bytes:
    """The whole body, or 413 as soon as it is clear that it is too large."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "unsupported_encoding", "Send the body without Content-Encoding.")
    too_large = Refusal(
        413, "too_large", f"A request may hold {MOST_BYTES >> 20} MiB.", headers={"Connection": "close"}
    )
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length) > MOST_BYTES:
        raise too_large
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(400, "disconnected", "The connection ended within the body.")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MOST_BYTES:
            raise too_large
        if not message.get("more_body"):
            return b"".join(chunks)
