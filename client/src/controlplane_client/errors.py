"""The one error of this client: what was refused, and why, as the server said it."""

from __future__ import annotations

import json
from typing import Any

import httpx


class ControlPlaneError(Exception):
    """Holds the problem document (RFC 9457); ``status`` is 0 when nothing answered."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.problem = problem
        super().__init__(self.detail)

    @property
    def status(self) -> int:
        return int(self.problem.get("status") or 0)

    @property
    def code(self) -> str:
        """A word for machines; it does not change."""
        return str(self.problem.get("code") or "")

    @property
    def title(self) -> str:
        return str(self.problem.get("title") or "")

    @property
    def detail(self) -> str:
        """A sentence for the person who asked."""
        return str(self.problem.get("detail") or self.title or f"Status {self.status}.")

    @property
    def request_id(self) -> str:
        return str(self.problem.get("request_id") or "")

    @property
    def errors(self) -> list[dict[str, Any]]:
        """One entry per field at fault: pointer, code, detail, and what is allowed."""
        return list(self.problem.get("errors") or [])

    @classmethod
    def from_response(cls, response: httpx.Response) -> ControlPlaneError:
        """Of a problem document, of MLflow's form of error, or of whatever a proxy said."""
        try:
            body = response.json()
        except (json.JSONDecodeError, UnicodeDecodeError):
            body = None
        known = body if isinstance(body, dict) else {}
        problem = {
            "title": response.reason_phrase,
            "detail": known.get("message") or f"{response.status_code} {response.reason_phrase}",
            "code": str(known.get("error_code") or "unexpected_answer").lower(),
            "request_id": response.headers.get("X-Request-ID", ""),
        }
        return cls({**problem, **known, "status": response.status_code})

    @classmethod
    def unreachable(cls, url: str, error: Exception) -> ControlPlaneError:
        # What could not even be written quotes the headers, and with them the token.
        is_ours = isinstance(error, httpx.LocalProtocolError)
        reason = "the request is no valid HTTP" if is_ours else str(error) or type(error).__name__
        return cls(
            {
                "status": 0,
                "code": "unreachable",
                "title": "Unreachable",
                "detail": f"{url} does not answer: {reason}",
            }
        )
