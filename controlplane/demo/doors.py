"""The public doors the story walks through: REST with a token, pages with a session."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

CSRF_COOKIE = "csrftoken"
POLL_SECONDS = 0.5


class DoorError(RuntimeError):
    """A door answered something the story did not expect; says which and what."""


def expect(response: httpx.Response, *statuses: int) -> httpx.Response:
    """The response if its status is one of ``statuses`` (default: any success)."""
    if response.status_code in statuses or (not statuses and response.is_success):
        return response
    what = (
        response.text[:600]
        if "html" not in response.headers.get("content-type", "")
        else _heading(response.text)
    )
    raise DoorError(
        f"{response.request.method} {response.request.url.path} answered {response.status_code}: {what}"
    )


def _heading(page: str) -> str:
    found = re.search(r"<main.*?</main>", page, re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", found.group(0) if found else page)
    return " ".join(text.split())[:600]


class Rest:
    """``/api/v1`` as one person's token sees it."""

    def __init__(self, address: str, token: str) -> None:
        self.http = httpx.Client(
            base_url=f"{address}/api/v1/", headers={"Authorization": f"Bearer {token}"}, timeout=120
        )

    def get(self, path: str, **query: Any) -> Any:
        return expect(self.http.get(path, params=query)).json()

    def post(self, path: str, body: Any = None, *statuses: int, **headers: str) -> Any:
        answer = expect(
            self.http.post(path, json=body if body is not None else {}, headers=headers), *statuses
        )
        return answer.json() if answer.content else None

    def put(self, path: str, body: Any, *statuses: int, **headers: str) -> Any:
        return expect(self.http.put(path, json=body, headers=headers), *statuses).json()

    def patch(self, path: str, body: Any) -> Any:
        etag = expect(self.http.get(path)).headers.get("ETag", "*")
        return expect(self.http.patch(path, json=body, headers={"If-Match": etag})).json()

    def download(self, path: str) -> bytes:
        return expect(self.http.get(path)).content

    def items(self, path: str, **query: Any) -> Iterator[Any]:
        page = self.get(path, **query)
        while True:
            yield from page["items"]
            if not page.get("next"):
                return
            page = expect(self.http.get(page["next"])).json()

    def wait(
        self,
        path: str,
        until: Callable[[Any], bool],
        *,
        timeout: float = 180,
        tell: Callable[[Any], None] | None = None,
    ) -> Any:
        """Read ``path`` until ``until`` holds; the last answer is in the error when it never does."""
        deadline = time.monotonic() + timeout
        while True:
            answer = self.get(path)
            if tell:
                tell(answer)
            if until(answer):
                return answer
            if time.monotonic() > deadline:
                raise DoorError(
                    f"{path} was not ready after {timeout:.0f} s; last answer: {str(answer)[:600]}"
                )
            time.sleep(POLL_SECONDS)


class Browser:
    """A person's browser session, as far as forms need one."""

    def __init__(self, address: str, login: str, password: str) -> None:
        self.http = httpx.Client(base_url=address, timeout=60, follow_redirects=False)
        self.password = password
        expect(self.http.get("/login/"))
        answer = self.post("/login/", login=login, password=password)
        if answer.status_code != 302:
            raise DoorError(f"{login} could not sign in: {_heading(answer.text)}")

    def page(self, path: str) -> str:
        return expect(self.http.get(path), 200).text

    def post(self, path: str, **form: str) -> httpx.Response:
        token = self.http.cookies.get(CSRF_COOKIE, "")
        headers = {
            "X-CSRFToken": token,
            "Referer": str(self.http.base_url),
            "Origin": str(self.http.base_url).rstrip("/"),
        }
        return self.http.post(path, data={"csrfmiddlewaretoken": token, **form}, headers=headers)

    def submit(self, path: str, **form: str) -> httpx.Response:
        """Post a form that must be accepted."""
        return expect(self.post(path, **form), 200, 302, 303)


class Gateway:
    """The stable address of a model in an environment."""

    def __init__(self, address: str, token: str) -> None:
        self.http = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def predict(self, environment: str, model: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        path = f"/endpoints/{environment}/{model}/invocations"
        return expect(self.http.post(path, json=body, headers=headers))
