"""Parts of the OpenAPI document that all operations refer to."""

from __future__ import annotations

from typing import Any

MEDIA_TYPE = "application/problem+json"
REFUSALS = {
    304: ("NotModified", "It is still what If-None-Match names; no body."),
    400: ("Invalid", "The input is wrong; `errors` names each field and what is allowed."),
    401: ("Unauthenticated", "No credentials, or ones that do not hold."),
    403: ("NotAllowed", "The caller may know of it but not do this; the refusal is recorded."),
    404: ("NotFound", "It does not exist, or the caller may not know that it does."),
    406: ("NotAcceptable", "No answer in a form that Accept names."),
    409: ("Conflict", "Its state does not permit this, or the first request with this key still runs."),
    412: ("Stale", "It has changed since the caller read it; nothing was changed."),
    413: ("TooLarge", "More bytes than this place accepts."),
    415: ("UnsupportedMediaType", "A body in a form that is not read here."),
    416: (
        "RangeNotSatisfiable",
        "The file ends before the bytes that Range names; Content-Range says where.",
    ),
    422: ("Unprocessable", "This Idempotency-Key was used with another body."),
    428: ("RevisionRequired", "Send the ETag that was read as If-Match."),
    429: ("TooMany", "Too many requests by the account or address; Retry-After says when to ask again."),
    503: ("Unavailable", "A part does not answer; nothing was changed. Retry-After says when to ask again."),
}

TEXT = {"type": "string"}
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What was refused and why (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {**TEXT, "format": "uri-reference"},
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": {**TEXT, "description": "A sentence for the person who asked."},
        "instance": {**TEXT, "format": "uri-reference"},
        "code": {**TEXT, "description": "A word for machines; it does not change."},
        "request_id": TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {**TEXT, "description": "JSON pointer (RFC 6901) into the body."},
                    "code": TEXT,
                    "detail": TEXT,
                    "allowed": {"description": "What the field may hold."},
                },
            },
        },
    },
}
ACCEPTED: dict[str, Any] = {
    "type": "object",
    "properties": {"job": {"type": ["string", "null"], "description": "The job that does the work."}},
}
PARAMETERS: dict[str, Any] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key and body get the first answer again, for 24 hours, if the caller still sees what it names.",
        "schema": {**TEXT, "minLength": 1, "maxLength": 255},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "description": "The ETag that was read, or `*`.",
        "schema": TEXT,
    },
    "IfMatchIfSeen": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag that was read; needed where something is there already.",
        "schema": TEXT,
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag that is known; answered 304 while it holds.",
        "schema": TEXT,
    },
    "Range": {
        "name": "Range",
        "in": "header",
        "description": "One range of bytes (`bytes=500-`, `bytes=0-99`, `bytes=-10`); more get the whole.",
        "schema": TEXT,
    },
    "IfRange": {
        "name": "If-Range",
        "in": "header",
        "description": "The ETag the range is of; the whole is answered where it is another.",
        "schema": TEXT,
    },
}
HEADERS: dict[str, Any] = {
    "ETag": {"description": "The revision of what was answered.", "required": True, "schema": TEXT},
    "Location": {"description": "Where it, or the job that does it, is.", "schema": TEXT},
    "Link": {"description": "The next and previous page (RFC 8288).", "schema": TEXT},
    "AcceptRanges": {"description": "`bytes`: Range is heeded.", "required": True, "schema": TEXT},
    "ContentRange": {
        "description": "Which bytes these are, of how many (RFC 9110).",
        "required": True,
        "schema": TEXT,
    },
    "RequestID": {
        "description": "As sent, or made here; the ledger and the logs carry it.",
        "required": True,
        "schema": TEXT,
    },
}
SECURITY: dict[str, Any] = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "cp_…"},
    "session": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
}


def _refused(status: int) -> dict[str, Any]:
    _, words = REFUSALS[status]
    answer: dict[str, Any] = {"description": words, "headers": {"X-Request-ID": header("RequestID")}}
    if status >= 400:
        answer["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return answer


def refusal(status: int) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{REFUSALS[status][0]}"}


def header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def parameter(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{name}"}


COMPONENTS: dict[str, Any] = {
    "schemas": {"Problem": PROBLEM, "Accepted": ACCEPTED},
    "parameters": PARAMETERS,
    "headers": HEADERS,
    "responses": {name: _refused(status) for status, (name, _) in REFUSALS.items()},
    "securitySchemes": SECURITY,
}
