"""The registry's doors without what pages need: no sessions, cookies, messages or templates.

Fifteen layers of middleware cost half a millisecond of CPU per request (measured); these doors
know tokens only and answer JSON, so they need the request's id, and the record of what was asked of
things one may not see.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse

from accounts.attempts import Attempts
from accounts.authentication import say_who
from core.middleware import RequestIds
from mlflow_api.json import dumps
from mlflow_api.urls import DOORS, PREFIXES

log = logging.getLogger(__name__)
PATHS = frozenset(f"/{prefix}/2.0/mlflow/{address}" for prefix in PREFIXES for address in DOORS)


class RegistryHandler(WSGIHandler):
    """Django's handler with two layers. Answers only the addresses of ``PATHS``."""

    def load_middleware(self, is_async: bool = False) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        attempts = convert_exception_to_response(Attempts(in_mlflows_words(self._get_response)))
        self._middleware_chain = convert_exception_to_response(RequestIds(saying_who(attempts)))


def saying_who(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Edge counts what each account asks, and what its refusals cost."""

    def answered(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        say_who(request, response)
        return response

    return answered


def in_mlflows_words(answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Clients read MLflow's form alone, also of a failure on our side."""

    def answered(request: HttpRequest) -> HttpResponse:
        try:
            return answer(request)
        except Exception:
            log.exception("a call failed")
            body = {"error_code": "INTERNAL_ERROR", "message": "This failed on our side; the logs know why."}
            return HttpResponse(dumps(body), status=500, content_type="application/json")

    return answered
