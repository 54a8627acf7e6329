"""Policy documents (controlplane/policy/v1): parsed, checked, never guessed at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jsonschema
import yaml

from approvals.gate_schemas import GATES, SHARE
from core.canonical import canonical_json, sha256_hex
from core.errors import Invalid

SCHEMA_NAME = "controlplane/policy/v1"
EXCLUDABLE = ["requester", "registrant", "version_editor", "request_editor"]
ROLES = ["data-scientist", "reviewer", "validator", "operator", "auditor", "admin"]
DURATION = re.compile(r"^P(?:(?P<days>\d{1,4})D)?(?:T(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,4})M)?)?\Z")
LARGEST = 64 << 10

_ANALYSIS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "max_error_rate": SHARE,
        "p95_ms": {"type": "number", "exclusiveMinimum": 0},
        "min_requests": {"type": "integer", "minimum": 1},
        "on_inconclusive": {"enum": ["pause", "continue", "abort"]},
        "within_seconds": {"type": "integer", "minimum": 1},
    },
}
JSON_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "environment", "quorum", "gates"],
    "properties": {
        "schema": {"const": SCHEMA_NAME},
        "environment": {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,49}$"},
        "alias": {"type": "string", "pattern": r"^[\w-]{1,255}$"},
        "applies_to": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "tiers": {"type": "array", "items": {"enum": ["high", "medium", "low"]}, "minItems": 1}
            },
        },
        "on_approval": {"enum": ["deploy", "wait"]},
        "expires_after": {"type": "string", "pattern": DURATION.pattern},
        "quorum": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["role", "count"],
                "properties": {
                    "role": {"enum": ROLES},
                    "count": {"type": "integer", "minimum": 1, "maximum": 10},
                },
            },
        },
        "exclude": {"type": "array", "items": {"enum": EXCLUDABLE}},
        "gates": {"type": "array", "maxItems": 60, "items": {"type": "object", "required": ["type"]}},
        "rollout": {
            "type": "object",
            "additionalProperties": False,
            "required": ["steps"],
            "properties": {
                "steps": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["weight"],
                        "properties": {
                            "weight": {"type": "integer", "minimum": 1, "maximum": 100},
                            "analyse": _ANALYSIS,
                        },
                    },
                },
                "shadow_former": {"type": "boolean"},
            },
        },
        "rollback": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "allowed_to": {"type": "array", "items": {"enum": ROLES}},
                "automatic_on": {"type": "array", "items": {"type": "string"}},
            },
        },
    },
}
_document = jsonschema.Draft202012Validator(JSON_SCHEMA)
_gates = {kind: jsonschema.Draft202012Validator(schema) for kind, schema in GATES.items()}


@dataclass(frozen=True)
class Policy:
    """A checked document."""

    document: dict[str, Any]

    @property
    def environment(self) -> str:
        return str(self.document["environment"])

    @property
    def alias(self) -> str:
        return str(self.document.get("alias", ""))

    @property
    def tiers(self) -> list[str]:
        return list(self.document.get("applies_to", {}).get("tiers", ["high", "medium", "low"]))

    @property
    def quorum(self) -> dict[str, int]:
        """How many different people each role must bring."""
        return {each["role"]: each["count"] for each in self.document["quorum"]}

    @property
    def exclude(self) -> list[str]:
        return list(self.document.get("exclude", EXCLUDABLE))

    @property
    def gates(self) -> list[dict[str, Any]]:
        return list(self.document["gates"])

    @property
    def rollout(self) -> dict[str, Any] | None:
        return self.document.get("rollout")

    @property
    def rollback_roles(self) -> frozenset[str]:
        """The roles that may roll back; empty leaves it to the right alone."""
        return frozenset(self.document.get("rollback", {}).get("allowed_to", ()))

    @property
    def deploys_on_approval(self) -> bool:
        return bool(self.document.get("on_approval", "deploy") == "deploy")

    @property
    def expires_after(self) -> timedelta:
        return duration(self.document.get("expires_after", "P14D"))

    @property
    def sha256(self) -> str:
        return sha256_hex(canonical_json(self.document))


def duration(text: str) -> timedelta:
    """ISO 8601 days, hours and minutes."""
    found = DURATION.match(text)
    parts = {name: int(value) for name, value in (found.groupdict() if found else {}).items() if value}
    if not parts:
        raise Invalid(
            f"{text!r} is not a duration such as P14D or PT2H.", field="expires_after", allowed="P14D, PT2H"
        )
    return timedelta(**parts)


def parse(text: str) -> Policy:
    """YAML or JSON text as a Policy; Invalid names the place and what is allowed there."""
    if len(text) > LARGEST:
        raise Invalid(f"A policy is at most {LARGEST >> 10} KiB.", field="document")
    if "&" in text and re.search(r"(^|\s)[&*]\w", text):
        raise Invalid("A policy holds no YAML anchors or references.", field="document")
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark else ""
        raise Invalid(f"The document is not valid YAML{place}.", field="document", allowed="YAML") from error
    return checked(document)


def checked(document: Any) -> Policy:
    """A policy from plain data, every rule of the schema applied."""
    _raise_first(_document, document, "")
    for index, gate in enumerate(document["gates"]):
        kind = gate["type"]
        if kind not in _gates:
            allowed = ", ".join(sorted(_gates))
            raise Invalid(
                f"gates[{index}].type must be one of: {allowed}.",
                field=f"gates[{index}].type",
                allowed=allowed,
            )
        _raise_first(_gates[kind], gate, f"gates[{index}].")
        if kind == "metric" and not {"min", "max", "min_difference"} & set(gate):
            raise Invalid(
                f"gates[{index}] needs min, max or min_difference.",
                field=f"gates[{index}]",
                allowed="min, max, min_difference",
            )
    _require_unique([gate["id"] for gate in document["gates"]], "gates", "id")
    _require_unique([each["role"] for each in document["quorum"]], "quorum", "role")
    steps = document.get("rollout", {}).get("steps", [{"weight": 100}])
    weights = [step["weight"] for step in steps]
    if weights != sorted(set(weights)) or weights[-1] != 100:
        raise Invalid(
            "rollout.steps must rise and end at weight 100.",
            field="rollout.steps",
            allowed="rising weights up to 100",
        )
    if "expires_after" in document:
        duration(document["expires_after"])
    return Policy(document)


def _raise_first(validator: Any, value: Any, prefix: str) -> None:
    error = jsonschema.exceptions.best_match(validator.iter_errors(value))
    if error is None:
        return
    path = prefix + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path
    ).lstrip(".")
    field = path.rstrip(".") or "document"
    allowed = (
        error.validator_value if error.validator in {"enum", "const", "required", "type", "pattern"} else None
    )
    raise Invalid(f"{field}: {error.message[:300]}", field=field, allowed=allowed)


def _require_unique(values: list[str], where: str, what: str) -> None:
    twice = {value for value in values if values.count(value) > 1}
    if twice:
        raise Invalid(
            f"{where}: the {what} {sorted(twice)[0]} is there twice.",
            field=where,
            allowed=f"each {what} once",
        )
