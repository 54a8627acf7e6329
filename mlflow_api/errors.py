"""From our refusals to MLflow's error codes."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from core.errors import (
    Conflict,
    DomainError,
    NotAllowed,
    NotFound,
    RangeNotSatisfiable,
    TooLarge,
    Unavailable,
)
from mlflow_api.json import dumps

# Conflicts that MLflow clients know by another word and number.
EXISTS = {"name_taken", "name_confusable", "already_exists"}


class Unauthenticated(DomainError):
    """No live token came with the request."""

    status, code, title = 401, "unauthenticated", "Not signed in"


def as_answer(error: DomainError) -> HttpResponse:
    """The error as an MLflow client reads it."""
    status, word = _status_and_word(error)
    body: dict[str, Any] = {"error_code": word, "message": error.message}
    for name, value in (("field", error.field), ("allowed", error.allowed)):
        if value is not None:
            body[name] = value
    body |= {name: value for name, value in error.extra.items() if name not in body}
    response = HttpResponse(
        dumps(body), status=status, content_type="application/json", headers=error.headers
    )
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="controlplane"'
    if status == 503:
        response["Retry-After"] = "2"
    return response


def _status_and_word(error: DomainError) -> tuple[int, str]:
    match error:
        case Unauthenticated():
            return 401, "UNAUTHENTICATED"
        case NotAllowed():
            return 403, "PERMISSION_DENIED"
        case NotFound():
            return 404, "RESOURCE_DOES_NOT_EXIST"
        case Conflict():
            return (400, "RESOURCE_ALREADY_EXISTS") if error.code in EXISTS else (409, "RESOURCE_CONFLICT")
        case Unavailable():
            return 503, "TEMPORARILY_UNAVAILABLE"
        case TooLarge():
            return 413, "INVALID_PARAMETER_VALUE"
        case RangeNotSatisfiable():
            return 416, "INVALID_PARAMETER_VALUE"
        case _:
            return 400, "INVALID_PARAMETER_VALUE"
