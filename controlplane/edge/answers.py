"""Answers edge gives itself: MLflow's error form, problem documents, and a page when web is away."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

MACHINE_PATHS = ("/api/", "/ajax-api/")
# MLflow's words for HTTP's numbers.
CODES = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    408: "REQUEST_LIMIT_EXCEEDED",
    413: "INVALID_PARAMETER_VALUE",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
}


NO_GUESSING = (b"x-content-type-options", b"nosniff")
TITLES = {
    400: "Bad request",
    404: "Not found",
    408: "Too slow",
    413: "Too large",
    429: "Too many requests",
    503: "Unavailable",
}


class Refused(Exception):
    """A request that is answered here, with a sentence for the person who asked."""

    def __init__(self, status: int, message: str, code: str = "", *, retry_after: int = 2) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code or CODES[status]
        self.retry_after = retry_after


class ClientGone(Exception):
    """The client has hung up; nobody waits for an answer."""


class Exchange:
    """One request and its answer, from edge's side of the ASGI interface."""

    def __init__(
        self,
        scope: Any,
        receive: Any,
        send: Any,
        request_id: str,
        address: str,
        scheme: str,
        learn: Callable[[Exchange], None],
    ) -> None:
        self.scope, self.receive, self._send = scope, receive, send
        self.request_id, self.address, self.scheme = request_id, address, scheme
        self.status = 0
        self.who = self.account_id = ""
        # Whether web has kept an event of a refusal, whatever the answer's status says.
        self.is_recorded = False
        # Told of every answer before it goes out: who asks again at once is known by then.
        self._learn = learn

    async def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status = status
        self._learn(self)
        marked = [*headers, (b"x-request-id", self.request_id.encode())]
        if NO_GUESSING not in headers:  # web's registry doors skip the middleware that says it
            marked.append(NO_GUESSING)
        await self._send({"type": "http.response.start", "status": status, "headers": marked})

    async def body(self, chunk: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": chunk, "more_body": more})

    async def answer(self, status: int, body: bytes, kind: str, *more: tuple[bytes, bytes]) -> None:
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            *more,
        ]
        await self.start(status, headers)
        await self.body(b"" if self.scope["method"] == "HEAD" else body, more=False)

    async def refuse(self, refused: Refused, *, as_mlflow: bool) -> None:
        """Answer a refusal in the words of whoever asked: MLflow client, REST client, browser."""
        more = _headers_of(refused)
        if as_mlflow:
            body = {"error_code": refused.code, "message": refused.message}
            await self.answer(refused.status, _json(body), "application/json", *more)
        elif self.scope["path"].startswith(MACHINE_PATHS):
            problem = {"type": "about:blank", "title": _title(refused.status), "status": refused.status}
            problem |= {"detail": refused.message, "code": refused.code.lower()}
            await self.answer(refused.status, _json(problem), "application/problem+json", *more)
        else:
            page = f"<!doctype html><html lang=en><title>{_title(refused.status)}</title>"
            page += f"<h1>{_title(refused.status)}</h1><p>{refused.message}</p>"
            await self.answer(refused.status, page.encode(), "text/html; charset=utf-8", *more)


def _headers_of(refused: Refused) -> list[tuple[bytes, bytes]]:
    status = refused.status
    if status == 401:
        return [(b"www-authenticate", b'Bearer realm="controlplane"')]
    if status in {429, 503}:
        return [(b"retry-after", str(refused.retry_after).encode())]
    if status in {408, 413}:  # the rest of the body will not be read
        return [(b"connection", b"close")]
    return []


def _title(status: int) -> str:
    return TITLES.get(status, "Refused")


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()
