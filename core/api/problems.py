"""Refusals as problem documents (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.encoding import escape_uri_path
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from core.api.openapi_parts import MEDIA_TYPE
from core.errors import DomainError
from core.text import refused_by_database

NON_FIELD_ERRORS_KEY = api_settings.NON_FIELD_ERRORS_KEY


def problem(
    status: int,
    *,
    code: str,
    detail: str,
    request: Any,
    title: str = "",
    errors: list[dict[str, Any]] | None = None,
    extra: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The document: type, title, status, detail, instance, code, request_id and errors."""
    body: dict[str, Any] = {
        "type": f"/docs/problems/#{status}",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": escape_uri_path(request.path),
        "code": code,
        "request_id": getattr(request, "request_id", ""),
        **(extra or {}),
    }
    if errors:
        body["errors"] = errors
    return body


def from_domain_error(error: DomainError, request: Any) -> dict[str, Any]:
    errors = None
    if error.field:
        entry = {"pointer": pointer(error.field), "code": error.code, "detail": error.message}
        if error.allowed is not None:
            entry["allowed"] = error.allowed
        errors = [entry]
    return problem(
        error.status,
        code=error.code,
        detail=error.message,
        request=request,
        title=error.title,
        errors=errors,
        extra=error.extra,
    )


def pointer(field: str) -> str:
    """``tags[0].key`` as a JSON pointer (RFC 6901)."""
    return "/" + field.replace("[", ".").replace("]", "").lstrip(".").replace(".", "/")


def flattened(detail: Any, path: str = "") -> list[dict[str, Any]]:
    """DRF's nested validation detail as one entry per field."""
    if isinstance(detail, dict):
        # What is said of a body as a whole points at the whole body.
        paths = {key: path if key == NON_FIELD_ERRORS_KEY else f"{path}/{key}" for key in detail}
        return [entry for key, value in detail.items() for entry in flattened(value, paths[key])]
    if isinstance(detail, list) and detail and isinstance(detail[0], dict | list):
        return [entry for index, value in enumerate(detail) for entry in flattened(value, f"{path}/{index}")]
    if isinstance(detail, list):
        return [entry for value in detail for entry in flattened(value, path)]
    # RFC 6901: the empty pointer is the whole document.
    return [{"pointer": path, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}]


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler; anything unexpected stays a bug (500)."""
    request = context["request"]
    error = refused_by_database(error, request.query_params) or error
    if isinstance(error, DomainError):
        return _answer(from_domain_error(error, request), error.headers)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    return _answer(_from_api_exception(error, request), _headers(error))


def _from_api_exception(error: exceptions.APIException, request: Any) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        errors = flattened(error.detail)
        detail = "; ".join(
            f"{entry['pointer'].lstrip('/') or 'body'}: {entry['detail']}" for entry in errors[:5]
        )
        return problem(
            400, code="invalid", detail=detail, request=request, title="Invalid input", errors=errors
        )
    code = error.get_codes()
    return problem(
        error.status_code,
        code=code if isinstance(code, str) else "refused",
        detail=str(error.detail),
        request=request,
    )


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait or 1))
    return headers


def _answer(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    response = Response(body, status=body["status"], headers={**(headers or {}), **_wait(body["status"])})
    response.content_type = MEDIA_TYPE
    return response


def plain(request: HttpRequest, error: DomainError) -> JsonResponse:
    """The same document outside Django REST framework."""
    return JsonResponse(
        from_domain_error(error, request),
        status=error.status,
        content_type=MEDIA_TYPE,
        headers={**error.headers, **_wait(error.status)},
    )


def _wait(status: int) -> dict[str, str]:
    """What is away now may be back in a moment (RFC 9110, 10.2.3)."""
    return {"Retry-After": "5"} if status == 503 else {}
