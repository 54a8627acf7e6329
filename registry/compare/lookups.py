"""Which two versions an address means."""

from __future__ import annotations

from typing import Any

from core.errors import Invalid
from registry.lookups import find_version
from registry.models import ModelVersion

LARGEST = 2**31 - 1
ALLOWED = "the number of a version"
CHAMPION = "champion"
OFFERED = 50


def number_of(text: str, field: str) -> int:
    """A version's number as a person or a script writes it."""
    plain = text.strip().removeprefix("v")
    if not (plain.isascii() and plain.isdigit() and 0 < int(plain[:12]) <= LARGEST):
        raise Invalid(f"{field} must be {ALLOWED}.", field=field, allowed=ALLOWED)
    return int(plain[:12])


def find_pair(request: Any, name: str, a: str, b: str) -> tuple[ModelVersion, ModelVersion]:
    """Both versions; 404 for one that is not there, Invalid for one and the same."""
    first, second = number_of(a, "a"), number_of(b, "b")
    if first == second:
        raise Invalid(
            "Both are the same version; choose two different ones.",
            field="b",
            allowed="another version than a",
        )
    return find_version(request, name, first), find_version(request, name, second)


def usual_pair(versions: Any, b: int | None = None) -> tuple[int | None, int | None]:
    """The champion against ``b`` (by default the newest); where that is the champion, the one before it."""
    numbers = versions.order_by("-number").values_list("number", flat=True)
    b = b or numbers.first()
    champion = versions.filter(aliases__name=CHAMPION).values_list("number", flat=True).first()
    if champion and champion != b:
        return champion, b
    before = numbers.filter(number__lt=b).first() if b else None
    return before or numbers.exclude(number=b).first(), b
