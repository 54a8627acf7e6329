"""Names of registered models and aliases: what may be one, and which look the same."""

import re
import unicodedata

from core.errors import Invalid
from core.text import checked_text

LONGEST_NAME = 256
LONGEST_ALIAS = 255
ALIAS = re.compile(r"^[\w-]*\Z")
# Everybody's word for the version of the highest number.
NEWEST = "latest"
LOOKS_LIKE_A_NUMBER = re.compile(r"^[vV]\d+\Z")
ALIAS_RULE = "1 to 255 letters, digits, '_' and '-'; not 'latest', not 'v' and a number"


def checked_name(value: object, field: str = "name") -> str:
    """A registered model's name in NFKC, or Invalid with the rule it breaks."""
    name = checked_text(value, field, LONGEST_NAME, min_length=1, normalise="NFKC")
    if "/" in name or ":" in name:
        raise Invalid(
            f"{field} must not contain '/' or ':'.", field=field, allowed="any text without '/' and ':'"
        )
    if name.strip() in {".", ".."}:
        raise Invalid(f"{field} must not be '.' or '..'.", field=field, allowed="any text but '.' and '..'")
    return name


def normal_name(value: str) -> str:
    """The form in which a name is looked up; text that can be no name finds nothing."""
    return unicodedata.normalize("NFKC", value)


def is_storable(text: str) -> bool:
    """Whether PostgreSQL could hold the text at all; addresses and searches may hold anything."""
    return "\x00" not in text and not any(0xD800 <= ord(character) <= 0xDFFF for character in text)


def checked_alias(value: object, field: str = "alias") -> str:
    """An alias name, or Invalid."""
    alias = checked_text(value, field, LONGEST_ALIAS, min_length=1)
    if alias != normal_name(alias):
        raise Invalid(
            f"{alias!r} cannot be an alias: it has letters of another width or style.",
            field=field,
            allowed=normal_name(alias),
        )
    if not ALIAS.match(alias) or alias.lower() == NEWEST or LOOKS_LIKE_A_NUMBER.match(alias):
        raise Invalid(
            f"{alias!r} cannot be an alias; it must be {ALIAS_RULE}.", field=field, allowed=ALIAS_RULE
        )
    return alias
