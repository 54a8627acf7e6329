"""One request id through page, job and ledger; one handler of refusals for pages."""

import re
import uuid
from collections.abc import Callable
from typing import Any

from django.db import OperationalError
from django.db.utils import InterfaceError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.shortcuts import render

from core.api.problems import from_domain_error, plain
from core.doors import PageRequest
from core.errors import DomainError, Unavailable
from core.logs import bound
from core.text import refused_by_database

REQUEST_ID = re.compile(r"^[A-Za-z0-9_.-]{8,64}\Z")
MACHINE_PATHS = ("/api/", "/ajax-api/")


class RequestIds:
    """Take X-Request-ID when it is well formed, else make one; answer with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: PageRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-ID", "")
        request.request_id = sent if REQUEST_ID.match(sent) else uuid.uuid4().hex
        with bound(request_id=request.request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request.request_id
        return response


class Revisions(ConditionalGetMiddleware):
    """What REST answers to a GET has an ETag; 304 while the caller's If-None-Match still holds."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code != 200 or not request.path.startswith("/api/v1/"):
            return response
        return super().process_response(request, response)


class Refusals:
    """Turn a DomainError into a page, or into a problem document where a machine asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, OperationalError | InterfaceError):
            return self._database_away(request)
        error = refused_by_database(error, request.GET) or error
        if not isinstance(error, DomainError):
            return None
        if request.path.startswith(MACHINE_PATHS):
            return plain(request, error)
        context = {"error": error, "problem": from_domain_error(error, request), "status": error.status}
        answer = render(request, "error.html", context, status=error.status)
        if error.status == 503:
            answer["Retry-After"] = "5"
        return answer

    def _database_away(self, request: HttpRequest) -> HttpResponse:
        error = Unavailable(
            "The database does not answer. Nothing has been changed; try again in a few seconds."
        )
        response: Any
        if request.path.startswith(MACHINE_PATHS):
            response = plain(request, error)
        else:
            response = HttpResponse(
                "<!doctype html><html lang=en><title>Unavailable</title><h1>The database does not answer</h1>"
                "<p>Nothing has been changed. Try again in a few seconds.</p>",
                status=503,
            )
        response["Retry-After"] = "5"
        return response
