"""Requests with the token, retried where repeating cannot do the work twice."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx

from controlplane_client.errors import ControlPlaneError

API = "/api/v1/"
TRIES = 4
LONGEST_WAIT = 30.0
# Passing states of a server, of its proxy, or of the first request with the same key.
PASSING = {429, 502, 503, 504}
STILL_RUNNING = "idempotency_key_running"
KEY = "Idempotency-Key"


class Transport:
    """One connection pool to one installation."""

    def __init__(
        self, url: str, token: str, *, timeout: float, agent: str, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.url = url.rstrip("/")
        self.sleep = sleep
        headers = {
            "Authorization": f"Bearer {_sendable(token)}",
            "User-Agent": agent,
            "Accept": "application/json",
        }
        try:
            self.http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout)
        except httpx.InvalidURL as error:
            raise ControlPlaneError(
                {"status": 400, "code": "invalid", "detail": f"{self.url!r} is no address: {error}"}
            ) from error

    def close(self) -> None:
        self.http.close()

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """The answer, or ControlPlaneError. A POST below /api/v1/ gets a key, so that it may be repeated."""
        headers = dict(more.pop("headers", None) or {})
        if method == "POST" and path.startswith(API):
            headers.setdefault(KEY, str(uuid.uuid4()))
        may_repeat = method != "POST" or KEY in headers
        for attempt in range(1, TRIES + 1):
            is_last = attempt == TRIES or not may_repeat
            try:
                response = self.http.request(method, path, headers=headers, **more)
            except httpx.TransportError as error:
                is_ours = isinstance(error, httpx.LocalProtocolError)
                if is_ours or (is_last and not _never_sent(error, attempt)):
                    raise ControlPlaneError.unreachable(self.url, error) from error
                self.sleep(wait(attempt))
                continue
            if response.is_success or response.status_code == 304:
                return response
            failure = ControlPlaneError.from_response(response)
            if is_last or not is_passing(failure):
                raise failure
            self.sleep(wait(attempt, response))
        raise AssertionError("the last try answers or raises")

    def json(self, method: str, path: str, **more: Any) -> Any:
        response = self.call(method, path, **more)
        return response.json() if response.content else None

    @contextmanager
    def stream(self, path: str, headers: dict[str, str] | None = None) -> Iterator[httpx.Response]:
        """A large answer, read as it comes; also from the object store, where we are sent there."""
        plain = {"Accept": "*/*", "Accept-Encoding": "identity"}
        try:
            with closing(self._begun(path, {**plain, **(headers or {})})) as response:
                if not response.is_success:
                    response.read()
                    raise ControlPlaneError.from_response(response)
                yield response
        except httpx.TransportError as error:
            raise ControlPlaneError.unreachable(self.url, error) from error

    def _begun(self, path: str, headers: dict[str, str]) -> httpx.Response:
        response = self.http.send(self.http.build_request("GET", path, headers=headers), stream=True)
        elsewhere = response.next_request if response.status_code == 307 else None
        if elsewhere is None:
            return response
        response.close()
        # Another server's: httpx leaves our token out, and it knows our digests by other names.
        elsewhere.headers.pop("If-Range", None)
        return self.http.send(elsewhere, stream=True)


def _sendable(token: str) -> str:
    """Without the line's end that files and variables bring along; never quoted in an error."""
    bare = token.strip()
    if not bare.isascii() or not bare.isprintable() or " " in bare:
        detail = "The token holds a character that no token holds. Copy it again, whole and on one line."
        raise ControlPlaneError({"status": 401, "code": "not_signed_in", "detail": detail})
    return bare


def _never_sent(error: httpx.TransportError, attempt: int) -> bool:
    """Nothing reached the server, so even what must not happen twice may be tried again."""
    return isinstance(error, httpx.ConnectError) and attempt < TRIES


def is_passing(failure: ControlPlaneError) -> bool:
    """Whether the same request may be answered in a moment."""
    return failure.status in PASSING or failure.code == STILL_RUNNING


def wait(attempt: int, response: httpx.Response | None = None) -> float:
    """Seconds before the next attempt: what the server asks for, or longer each time."""
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    seconds = float(asked) if asked.isdigit() else 0.5 * 2 ** (attempt - 1)
    return min(seconds, LONGEST_WAIT)
