"""What people wrote on the other server, as far as it can be kept here, and what of it cannot."""

from __future__ import annotations

from unicodedata import category

from core.errors import DomainError
from core.text import ALLOWED_FORMAT, ALLOWED_IN_LINES, REFUSED_IN_NAMES
from registry.services.models import LONGEST_DESCRIPTION, checked_description
from registry.services.tags import MOST_TAGS, checked_first_tag


def fitting_tags(tags: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The tags that can be kept, and the reason for each that cannot."""
    kept: dict[str, str] = {}
    refused: dict[str, str] = {}
    for key, value in tags.items():
        try:
            checked_key, checked_value = checked_first_tag(key, value)
        except DomainError as error:
            refused[key] = str(error)
            continue
        if len(kept) == MOST_TAGS:
            refused[key] = f"At most {MOST_TAGS} tags are kept."
        else:
            kept[checked_key] = checked_value
    return kept, refused


def fitting_description(text: str) -> tuple[str, str]:
    """The description as it can be kept, and what was done to it when that was anything."""
    try:
        return checked_description(text), ""
    except DomainError as error:
        shown = "".join(each for each in text if _is_allowed(each))[:LONGEST_DESCRIPTION]
        return checked_description(shown)[:LONGEST_DESCRIPTION], f"Kept without the rest: {error}"


def _is_allowed(character: str) -> bool:
    if character in ALLOWED_IN_LINES or character in ALLOWED_FORMAT:
        return True
    return category(character) not in REFUSED_IN_NAMES
