"""The OpenAPI document taken apart for people: one page per resource, one entry per operation."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

PREFIX = "/api/v1/"
METHODS = ("get", "post", "put", "patch", "delete")
TONES = {"get": "info", "post": "ok", "put": "warn", "patch": "warn", "delete": "bad"}
DEEPEST = 2
# Limits of the database's whole numbers say nothing to people.
LARGE = 2**31 - 1


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of a body."""

    name: str
    kind: str
    is_required: bool
    words: str
    where: str = ""


@dataclass(frozen=True)
class Answer:
    status: str
    words: str
    fields: list[Field] = field(default_factory=list)


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    words: str
    tone: str
    parameters: list[Field]
    body: list[Field]
    body_kind: str
    answers: list[Answer]
    refusals: list[Answer]

    @property
    def short(self) -> str:
        return "/" + self.path.removeprefix(PREFIX)

    @property
    def example(self) -> str:
        """A call to copy; names in braces are the reader's."""
        lines = [f"curl -X {self.method}" if self.method != "GET" else "curl"]
        lines.append('-H "Authorization: Bearer $TOKEN"')
        for each in self.parameters:
            if each.where == "header" and each.is_required:
                lines.append(f"-H '{each.name}: *'")
        if self.body_kind == "multipart/form-data":
            lines += [f"-F {each.name}=@table.parquet" for each in self.body if each.kind == "file"]
        elif self.body:
            needed = ", ".join(f'"{each.name}": …' for each in self.body if each.is_required)
            lines += ["-H 'Content-Type: application/json'", f"-d '{{{needed}}}'"]
        needed_query = [each.name for each in self.parameters if each.where == "query" and each.is_required]
        query = "?" + "&".join(f"{name}=…" for name in needed_query) if needed_query else ""
        return " ".join([*lines, f'"$URL{self.path}{query}"'])


@dataclass(frozen=True)
class ResourceOfApi:
    name: str
    operations: list[Operation]


def resources(document: dict[str, Any]) -> list[ResourceOfApi]:
    """By the first word of the address, in its order."""
    by_name: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        name = path.removeprefix(PREFIX).split("/", 1)[0]
        for method in METHODS:
            if method in item:
                by_name.setdefault(name, []).append(_operation(document, path, method, item[method]))
    return [ResourceOfApi(name, operations) for name, operations in sorted(by_name.items())]


def _operation(document: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> Operation:
    parameters = [_parameter(_resolved(document, each)) for each in operation.get("parameters", [])]
    content = operation.get("requestBody", {}).get("content", {})
    kind, media = _first(content)
    answers = [
        _answer(document, status, _resolved(document, each))
        for status, each in operation["responses"].items()
    ]
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        words=_unquoted(operation.get("description", "")),
        tone=TONES[method],
        parameters=sorted(parameters, key=lambda each: ("path", "query", "header").index(each.where)),
        body=fields_of(document, media.get("schema", {})),
        body_kind=kind,
        answers=[each for each in answers if each.status < "300"],
        refusals=[each for each in answers if each.status >= "300"],
    )


def _first(content: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The media type and what it holds; there is one, or none."""
    return next(iter(content.items()), ("", {}))


def _parameter(given: dict[str, Any]) -> Field:
    words = given.get("description") or given["schema"].get("description", "")
    is_needed = bool(given.get("required"))
    return Field(given["name"], kind_of(given["schema"]), is_needed, _unquoted(words), given["in"])


def _answer(document: dict[str, Any], status: str, given: dict[str, Any]) -> Answer:
    content = given.get("content", {})
    if "application/problem+json" in content:
        return Answer(status, given["description"])
    kind, media = _first(content)
    if kind not in {"", "application/json"}:
        return Answer(status, f"{given['description']} The bytes, as {kind}.")
    return Answer(status, given["description"], fields_of(document, media.get("schema", {})))


def fields_of(
    document: dict[str, Any], schema: dict[str, Any], depth: int = 0, before: str = ""
) -> list[Field]:
    """The fields of an object; those of items and of objects inside follow with their path."""
    schema = _whole(document, schema)
    if schema.get("type") == "array":
        return fields_of(document, schema.get("items", {}), depth, f"{before}[]." if before else "[].")
    found: list[Field] = []
    for name, given in schema.get("properties", {}).items():
        inner = _resolved(document, given)
        place = f"{before}{name}"
        words = _unquoted(inner.get("description", ""))
        found.append(Field(place, kind_of(inner), name in schema.get("required", ()), words))
        nested = _resolved(document, inner.get("items", {})) if inner.get("type") == "array" else inner
        if depth < DEEPEST and (nested.get("properties") or nested.get("allOf")):
            dots = f"{place}[]." if inner.get("type") == "array" else f"{place}."
            found += fields_of(document, nested, depth + 1, dots)
    return found


def kind_of(schema: dict[str, Any]) -> str:
    """Its type in words: ``text``, ``number or null``, ``one of a, b``, ``list of text``."""
    if "enum" in schema:
        return "one of " + ", ".join(
            "null" if each is None else str(each) or "(empty)" for each in schema["enum"]
        )
    for joined in ("oneOf", "anyOf"):
        if joined in schema:
            return " or ".join(dict.fromkeys(kind_of(each) for each in schema[joined]))
    kinds = schema.get(
        "type", "object" if "$ref" in schema or "properties" in schema or "allOf" in schema else "anything"
    )
    if isinstance(kinds, list):
        return " or ".join(kind_of({**schema, "type": each}) for each in kinds)
    if kinds == "array":
        return f"list of {kind_of(schema.get('items', {}))}"
    if kinds == "string":
        return _text(schema)
    if kinds == "integer" and {"minimum", "maximum"} <= schema.keys() and schema["maximum"] < LARGE:
        return f"whole number, {schema['minimum']} to {schema['maximum']}"
    return {"integer": "whole number", "boolean": "true or false"}.get(kinds, kinds)


def _text(schema: dict[str, Any]) -> str:
    words = {
        "date-time": "time (RFC 3339)",
        "date": "day",
        "uuid": "UUID",
        "uri": "address",
        "binary": "file",
    }
    if "contentMediaType" in schema:
        return "file"
    found = words.get(schema.get("format", ""), "text")
    return f"{found}, at most {schema['maxLength']}" if "maxLength" in schema else found


def _whole(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Without ``$ref`` and ``allOf``: one object with all fields."""
    schema = _resolved(document, schema)
    if "allOf" not in schema:
        return schema
    parts = [_whole(document, each) for each in schema["allOf"]]
    properties = {name: value for part in parts for name, value in part.get("properties", {}).items()}
    return {
        "type": "object",
        "properties": properties,
        "required": [n for p in parts for n in p.get("required", ())],
    }


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found: Any = document
    for name in part["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return _resolved(document, found)


def _unquoted(words: str) -> str:
    return re.sub(r"`+([^`]*)`+", r"\1", words)
