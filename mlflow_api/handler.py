"""The registry's doors without what pages need: no sessions, cookies, messages or templates.

Fifteen layers of middleware cost half a millisecond of CPU per request (measured); these doors
know tokens only and answer JSON, so they need the request's id, and the record of what was asked of
things one may not see.
"""

from __future__ import annotations

from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler

from accounts.attempts import Attempts
from core.middleware import RequestIds
from mlflow_api.urls import DOORS, PREFIXES

PATHS = frozenset(f"/{prefix}/2.0/mlflow/{address}" for prefix in PREFIXES for address in DOORS)


class RegistryHandler(WSGIHandler):
    """Django's handler with two layers. Answers only the addresses of ``PATHS``."""

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        inner = convert_exception_to_response(self._get_response)
        attempts = convert_exception_to_response(Attempts(inner))
        self._middleware_chain = convert_exception_to_response(RequestIds(attempts))
