"""A version's input and output schema as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DEEPEST = 16
LONGEST_TYPE = 1000
PARTS = (("inputs", "Input"), ("outputs", "Output"), ("params", "Parameter"))


@dataclass(frozen=True)
class Column:
    """One column or tensor of a signature."""

    part: str
    name: str
    type: str
    is_required: bool | None = None
    is_named: bool = True


def columns_of(signature: dict[str, Any] | None) -> list[Column]:
    """Inputs, then outputs, then parameters; whatever cannot be read is shown as it is."""
    return [
        _column(word, place, each)
        for part, word in PARTS
        for place, each in enumerate(_listed((signature or {}).get(part)), start=1)
    ]


def _listed(value: Any) -> list[Any]:
    """MLflow writes lists; whatever else a file says is one thing that cannot be read."""
    return value if isinstance(value, list) else [value] if value else []


def _column(part: str, place: int, each: Any) -> Column:
    if not isinstance(each, dict):
        return Column(part, f"{part.lower()} {place}", str(each)[:200], is_named=False)
    kind = type_words(each)
    required = each.get("required")
    name = str(each.get("name") or f"{part.lower()} {place}")
    is_required = required if isinstance(required, bool) else None
    return Column(part, name, kind[:LONGEST_TYPE], is_required, bool(each.get("name")))


def type_words(each: dict[str, Any], depth: int = 0) -> str:
    """A type with what is inside it, so that a change of an inner one is a change."""
    kind = each.get("type", "")
    if kind == "tensor":
        tensor = each.get("tensor-spec")
        tensor = tensor if isinstance(tensor, dict) else {}
        return f"tensor {tensor.get('dtype', '')} {tensor.get('shape', '')}"
    if depth == DEEPEST:
        return "…"
    inner = each.get("items") if kind == "array" else each.get("values")
    if kind in {"array", "map"} and isinstance(inner, dict):
        return f"{kind} of {type_words(inner, depth + 1)}"
    fields = each.get("properties")
    if kind == "object" and isinstance(fields, dict):
        said = [
            f"{name}: {type_words(field, depth + 1)}{_optional(field)}"
            for name, field in fields.items()
            if isinstance(field, dict)
        ]
        return f"object {{{', '.join(said)}}}"
    return str(kind)


def _optional(field: dict[str, Any]) -> str:
    return " (optional)" if field.get("required") is False else ""
