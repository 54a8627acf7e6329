"""What was refused before any service was asked, kept in the ledger.

What is not there for the caller is answered 404, and kept where it was to be changed; what a door
refuses by itself is answered 403, and kept also where it was only to be read.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import APIException

from audit.recording import DENIED
from audit.services import record_denied
from core.actors import Actor
from core.errors import DomainError

log = logging.getLogger(__name__)

READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# The one read that MLflow's clients post.
POSTED_READS = frozenset(
    f"/{prefix}/2.0/mlflow/registered-models/get-latest-versions" for prefix in ("api", "ajax-api")
)
# Edge's own question, which records its refusals itself.
INTERNAL = "/internal/"
REFUSED_READ = {
    "action": "accounts.refused_read",
    "reason": "Who asked may not read it.",
    "code": "not_allowed",
}
REFUSALS = {
    403: {
        "action": "accounts.refused_write",
        "reason": "Who asked may not do it.",
        "code": "not_allowed",
    },
    404: {
        "action": "accounts.unseen_write",
        "reason": "It does not exist, or may not be seen by who asked.",
        "code": "not_found",
    },
}
NAMING = ("model", "name", "version", "alias", "key", "new_name", "right", "account", "group", "run_id")
LONGEST_WORD, LONGEST_PATH = 256, 300
LARGEST_BODY = 64 << 10


class Attempts:
    """Middleware: who tried to change something they may not know of, and what it was.

    What exists and is hidden is recorded like what never was: the ledger tells the two apart by
    the history of the name, and an answer takes the same time for both.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        actor = getattr(request, "actor", None)
        if (
            response.status_code in REFUSALS
            and _is_attempt(request, response)
            and isinstance(actor, Actor)
            and actor.is_active
            and not actor.extra.get(DENIED)
        ):
            _note(request, response, actor)
        return response


def _is_attempt(request: HttpRequest, response: HttpResponse) -> bool:
    """An address of ours; a path that leads nowhere is nobody's object."""
    return (
        (request.method not in READING or response.status_code == 403)
        and request.resolver_match is not None
        and not request.path.startswith(INTERNAL)
        and request.path not in POSTED_READS
    )


def _note(request: HttpRequest, response: HttpResponse, actor: Actor) -> None:
    asked = {
        "method": request.method,
        "path": request.path[:LONGEST_PATH],
        "named": _named(request, response),
    }
    try:
        record_denied(
            actor=actor,
            **(REFUSED_READ if request.method in READING else REFUSALS[response.status_code]),
            extra={name: value for name, value in asked.items() if value},
        )
    except DomainError:  # the ledger is away; nothing has changed, and the answer stands
        log.exception("a refused change could not be recorded")


def _named(request: HttpRequest, response: HttpResponse) -> dict[str, str]:
    """The names in the body, and nothing else of it: it may hold anything."""
    sent = _body(request, response)
    if not isinstance(sent, Mapping):
        return {}
    found = {name: sent.get(name) for name in NAMING}
    return {
        name: str(value)[:LONGEST_WORD]
        for name, value in found.items()
        if isinstance(value, str | int) and value
    }


def _body(request: HttpRequest, response: HttpResponse) -> Any:
    """What was sent, if it is short: an upload refused before it was read is not read for this."""
    context = getattr(response, "renderer_context", None)
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
            return None
        if context:  # REST has read the stream
            return context["request"].data
        if request.POST:
            return request.POST
        return json.loads(getattr(request, "_body", b""))
    except (ValueError, RecursionError, APIException, DomainError):
        return None
