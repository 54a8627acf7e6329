"""The OpenAPI document says of every operation what all operations share, so that views need not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import append_meta
from drf_spectacular.utils import OpenApiParameter

from core.api.fields import Body
from core.api.openapi_parts import header, parameter, refusal
from core.api.paging import WholeList
from core.api.views import IdempotentPosts

IN_WORDS = {
    "list": "What the caller may see, page by page.",
    "retrieve": "One of them.",
    "create": "Make one; its address is in Location.",
    "partial_update": "Change what is sent and nothing else.",
    "destroy": "Delete it.",
}
WRITES = {"POST", "PUT", "PATCH", "DELETE"}
NEEDS_REVISION = {"PUT", "PATCH", "DELETE"}


def text(name: str, description: str = "", *, required: bool = False) -> OpenApiParameter:
    """A query parameter that takes text."""
    return OpenApiParameter(name, str, description=description, required=required)


def choice(name: str, allowed: Iterable[str], description: str = "") -> OpenApiParameter:
    """A query parameter that takes one of these words."""
    return OpenApiParameter(name, str, enum=list(allowed), description=description)


class ConventionalSchema(AutoSchema):
    """Adds refusals, revisions (ETag, If-Match), retries (Idempotency-Key) and links to each operation.

    A view may say ``query_parameters`` (of its list), ``whole_lists`` (actions that answer every
    item at once), ``revision_parameter_of`` (POST actions that heed If-Match), ``conflicting_reads``
    (GET actions that need something to be ready), ``partial_reads`` (GET actions that heed Range)
    and ``addressed_by`` (docs/dev/rest.md).
    """

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        operation["parameters"] = [*operation.get("parameters", []), *self._shared_parameters()]
        for status, answer in operation["responses"].items():
            answer["headers"] = {**answer.get("headers", {}), **self._headers(status, answer)}
            answer["description"] = answer.get("description") or _said(status)
        for media in operation["responses"].get("202", {}).get("content", {}).values():
            media["schema"] = {"allOf": [media["schema"], {"$ref": "#/components/schemas/Accepted"}]}
        operation["responses"].update(self._refusals(operation["responses"]))
        return operation

    def get_auth(self) -> list[dict[str, list[str]]]:
        return [{"token": []}, {"session": []}]

    def get_description(self) -> str:  # type: ignore[override]
        """The docstring of the action; Django REST framework's own, and the class's, say too little."""
        action = getattr(self.view, "action", None) or self.method.lower()
        function = getattr(type(self.view), action, None)
        is_ours = not getattr(function, "__module__", "").startswith("rest_framework")
        if is_ours and getattr(function, "__doc__", None):
            return str(super().get_description())
        return IN_WORDS.get(action, "")

    def get_operation_id(self) -> str:
        """A thing with two addresses (``addressed_by``) has two operations, each with a name of its own."""
        name = str(super().get_operation_id())
        words = getattr(self.view, "addressed_by", {})
        return "_".join([name, *(word for part, word in words.items() if f"{{{part}}}" in self.path)])

    def get_override_parameters(self) -> list[Any]:
        is_list = getattr(self.view, "action", "") == "list"
        return list(getattr(self.view, "query_parameters", ())) if is_list else []

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        """A ``Body`` refuses fields it does not know."""
        schema = super()._map_basic_serializer(serializer, direction)
        if direction == "request" and isinstance(serializer, Body):
            schema["additionalProperties"] = False
        return schema

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        """What falls back to None where nothing is there may be null in an answer."""
        schema = super()._map_serializer_field(field, direction, bypass_extensions)
        if direction == "response" and field.default is None and not field.allow_null:
            schema = append_meta(schema, {"nullable": True})
        return schema

    def _get_paginator(self) -> Any:
        return WholeList() if self._is_among("whole_lists") else super()._get_paginator()

    def _shared_parameters(self) -> list[dict[str, Any]]:
        names = []
        if self.method == "POST" and isinstance(self.view, IdempotentPosts):
            names.append("IdempotencyKey")
        if self.method in {"PATCH", "DELETE"}:
            names.append("IfMatch")
        if self.method == "PUT" or self._is_among("revision_parameter_of"):
            names.append("IfMatchIfSeen")
        if self.method == "GET":
            names.append("IfNoneMatch")
        if self._is_among("partial_reads"):
            names += ["Range", "IfRange"]
        return [parameter(name) for name in names]

    def _is_among(self, attribute: str) -> bool:
        """Whether the view's attribute of this name lists the action (of a plain view, the method)."""
        action = getattr(self.view, "action", None) or self.method.lower()
        return action in getattr(self.view, attribute, ())

    def _headers(self, status: str, answer: dict[str, Any]) -> dict[str, Any]:
        found = {"X-Request-ID": header("RequestID")}
        is_json = "application/json" in answer.get("content", {})
        if status == "200" and is_json and self.method in {"GET", "PATCH"}:
            found["ETag"] = header("ETag")
        if status in {"201", "202", "307"}:
            found["Location"] = header("Location")
        if status in {"200", "206"} and self._is_among("partial_reads"):
            found |= {"ETag": header("ETag"), "Accept-Ranges": header("AcceptRanges")}
        if status == "206":
            found["Content-Range"] = header("ContentRange")
        if status == "200" and self.method == "GET" and self._is_list_view():
            found["Link"] = header("Link")
        return found

    def _refusals(self, known: dict[str, Any]) -> dict[str, Any]:
        statuses = {400, 401, 403, 404, 406, 429, 503}
        if self.method == "GET":
            statuses |= {304}
        if self._is_among("conflicting_reads"):
            statuses |= {409}
        if self._is_among("partial_reads"):
            statuses |= {416}
        if self.method in WRITES:
            statuses |= {409, 413, 415, 422}
        if self.method in NEEDS_REVISION or self._is_among("revision_parameter_of"):
            statuses |= {412, 428}
        return {str(status): refusal(status) for status in sorted(statuses) if str(status) not in known}


def _said(status: str) -> str:
    words = {
        "200": "Done.",
        "201": "Created.",
        "202": "Accepted: a job does the work.",
        "204": "Gone.",
        "206": "The part that Range names.",
        "307": "The object store hands it out, at the address in Location.",
    }
    return words.get(status, "The answer.")


def without_trailing_slashes(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A trailing slash is accepted and never needed, so the document leaves it out."""
    result["paths"] = {path.rstrip("/"): item for path, item in result["paths"].items()}
    return result


def with_plain_nulls(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Anything or null is anything: as one of two it would match both, which ``oneOf`` forbids."""
    either = [{}, {"type": "null"}]

    def walk(part: Any) -> None:
        for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            if isinstance(value, dict) and value.get("oneOf") == either:
                del value["oneOf"]
            walk(value)

    walk(result)
    return result
