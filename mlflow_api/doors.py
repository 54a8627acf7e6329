"""What every door of this surface does: who asks, with what, and how the answer looks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from accounts.sight import require_sight
from core.actors import Actor
from core.errors import DomainError, Invalid, TooLarge, Unavailable
from mlflow_api.arguments import Arguments
from mlflow_api.authentication import actor_of
from mlflow_api.errors import as_answer
from mlflow_api.json import dumps

log = logging.getLogger(__name__)
Door = Callable[[Actor, Arguments], dict[str, Any] | str | HttpResponseBase]
AWAY = "The database does not answer. Nothing has been changed; try again in a few seconds."


def door(
    *, needs_sight: bool = True, reads_body: bool = True
) -> Callable[[Door], Callable[..., HttpResponseBase]]:
    """A door of the MLflow surface: tokens only, MLflow's error codes, JSON text answered as it is."""

    def made(answer: Door) -> Callable[..., HttpResponseBase]:
        @csrf_exempt
        @wraps(answer)
        def view(request: HttpRequest, **captured: str) -> HttpResponseBase:
            try:
                actor = request.actor = actor_of(request)  # type: ignore[attr-defined]
                if needs_sight:
                    require_sight(actor)
                sent = Arguments.of(request, captured) if reads_body else Arguments(captured)
                return _answered(answer(actor, sent))
            except DomainError as error:
                return as_answer(error)
            except RequestDataTooBig:
                return as_answer(TooLarge("The body is too large."))
            except (SuspiciousOperation, UnreadablePostError, DataError) as error:
                log.info("refused input: %s", error)
                return as_answer(Invalid("The request holds something that cannot be used."))
            except (OperationalError, InterfaceError):
                log.exception("the database does not answer")
                return as_answer(Unavailable(AWAY))

        return view

    return made


def by_method(**doors: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """One address, a door per method; others are not allowed."""

    @csrf_exempt
    def view(request: HttpRequest, **captured: str) -> HttpResponseBase:
        chosen = doors.get(request.method or "")
        if chosen is None:
            response = as_answer(Invalid(f"{request.method} is not allowed here.", allowed=", ".join(doors)))
            response.status_code = 405
            response["Allow"] = ", ".join(doors)
            return response
        return chosen(request, **captured)

    return view


def _answered(answer: dict[str, Any] | str | HttpResponseBase) -> HttpResponseBase:
    if isinstance(answer, HttpResponseBase):
        return answer
    body = answer.encode() if isinstance(answer, str) else dumps(answer)
    return HttpResponse(body, content_type="application/json")
