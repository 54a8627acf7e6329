"""A version's input and output schema as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PARTS = (("inputs", "Input"), ("outputs", "Output"), ("params", "Parameter"))


@dataclass(frozen=True)
class Column:
    """One column or tensor of a signature."""

    part: str
    name: str
    type: str
    is_required: bool | None = None


def columns_of(signature: dict[str, Any] | None) -> list[Column]:
    """Inputs, then outputs, then parameters; whatever cannot be read is shown as it is."""
    return [
        _column(word, place, each)
        for part, word in PARTS
        for place, each in enumerate((signature or {}).get(part) or [], start=1)
    ]


def _column(part: str, place: int, each: Any) -> Column:
    if not isinstance(each, dict):
        return Column(part, f"{part.lower()} {place}", str(each)[:200])
    kind = each.get("type", "")
    if kind == "tensor":
        tensor = each.get("tensor-spec") or {}
        kind = f"tensor {tensor.get('dtype', '')} {tensor.get('shape', '')}"
    required = each.get("required")
    name = str(each.get("name") or f"{part.lower()} {place}")
    return Column(part, name, str(kind)[:200], required if isinstance(required, bool) else None)
