"""A request that the gateway will not answer with predictions, and why."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any


class Refusal(Exception):
    """Becomes a problem document (RFC 9457); ``errors`` name the columns at fault.

    Its ``type`` is about:blank, for the gateway has no pages that a type could point to.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors = errors or []
        self.headers = headers or {}

    def document(self, path: str, request_id: str) -> bytes:
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": path,
            "code": self.code,
            "request_id": request_id,
        }
        if self.errors:
            body["errors"] = self.errors
        return json.dumps(body).encode()


def bad_input(detail: str, *, column: str | None = None, code: str = "invalid", allowed: str = "") -> Refusal:
    """400 naming the column, if there is one."""
    errors = []
    if column is not None:
        errors = [
            {"pointer": f"/{column}", "column": column, "code": code, "detail": detail, "allowed": allowed}
        ]
    return Refusal(400, code, detail, errors=errors)
