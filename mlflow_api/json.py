"""JSON in and out, within what PostgreSQL and MLflow's clients can hold."""

from __future__ import annotations

import json
from typing import Any

from core.errors import Invalid
from core.text import checked_json


def dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def loads(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body; an empty body is an empty object."""
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw, object_pairs_hook=_unique)
    except RecursionError:
        raise Invalid("The body is nested too deeply.", field="body", allowed="a JSON object") from None
    except ValueError as error:
        raise Invalid(
            f"The body is not JSON: {str(error)[:200]}", field="body", allowed="a JSON object"
        ) from None
    if not isinstance(value, dict):
        raise Invalid("The body must be a JSON object.", field="body", allowed="a JSON object")
    for name, item in value.items():  # NaN and Infinity are refused here, with their place
        checked_json(name, "body key")
        checked_json(item, name)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found and found[key] != value:
            raise ValueError(f"the field {key[:100]!r} is given twice")
        found[key] = value
    return found
