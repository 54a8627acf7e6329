"""One thing as an answer, with the ETag of what is said of it."""

from __future__ import annotations

import json
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from core.etags import etag_of


def item(
    request: Request, data: Any, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """The answer, or 304 when the caller of a GET has exactly this already (RFC 9110, 13.1.2)."""
    etag = etag_of(json.dumps(data, cls=JSONEncoder, sort_keys=True))
    headers = {**(headers or {}), "ETag": etag}
    if request.method in {"GET", "HEAD"} and _holds(request.headers.get("If-None-Match", ""), etag):
        return Response(status=304, headers=headers)
    return Response(data, status=status, headers=headers)


def _holds(sent: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in sent.split(",")]
    return tags == ["*"] or etag in tags
