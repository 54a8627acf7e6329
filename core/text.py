"""Checks on text and JSON from outside, before any of it reaches the database."""

import json
import math
import unicodedata
from collections.abc import Mapping
from typing import Any, Literal

from django.db import DataError

from core.errors import Invalid

# Categories: control, format (zero-width and bidirectional controls), surrogate, private, unassigned.
# The zero-width joiners of scripts and emoji, which belong to the letters around them.
JOINERS = "\u200c\u200d"
REFUSED_IN_NAMES = {"Cc", "Cf", "Cs", "Co", "Cn"}
ALLOWED_IN_LINES = {"\n", "\r", "\t"}
# Joiners that scripts and emoji need in running text.
ALLOWED_FORMAT = {"\u200c", "\u200d"}
MAX_DEPTH = 32


def checked_text(
    value: Any,
    field: str,
    max_length: int,
    *,
    min_length: int = 0,
    multiline: bool = False,
    normalise: Literal["NFC", "NFKC"] = "NFC",
) -> str:
    """``value`` as normalised text, or Invalid naming ``field`` and what is allowed."""
    if not isinstance(value, str):
        raise Invalid(f"{field} must be text.", field=field, allowed="text")
    for position, character in enumerate(value):
        if multiline and (character in ALLOWED_IN_LINES or character in ALLOWED_FORMAT):
            continue
        if unicodedata.category(character) in REFUSED_IN_NAMES:
            raise Invalid(
                f"{field} holds the character U+{ord(character):04X} at position {position + 1}; control,"
                " bidirectional, zero-width and surrogate characters are not allowed.",
                field=field,
                allowed="printable text",
            )
    text = unicodedata.normalize(normalise, value)
    if len(text) < min_length or (min_length and not text.strip()):
        raise Invalid(
            f"{field} must not be blank."
            if min_length == 1
            else f"{field} needs at least {min_length} characters.",
            field=field,
            allowed=f"{min_length} to {max_length} characters",
        )
    if len(text) > max_length:
        raise Invalid(
            f"{field} is {len(text)} characters long; at most {max_length} are allowed.",
            field=field,
            allowed=f"at most {max_length} characters",
        )
    return text


def storable_text(value: Any, field: str, max_length: int) -> str:
    """Text kept exactly as sent (tag values, logs): refuses only what PostgreSQL cannot store."""
    if not isinstance(value, str):
        raise Invalid(f"{field} must be text.", field=field, allowed="text")
    if "\x00" in value or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise Invalid(
            f"{field} holds U+0000 or a lone surrogate, which cannot be stored.",
            field=field,
            allowed="text without U+0000 and lone surrogates",
        )
    if len(value) > max_length:
        raise Invalid(
            f"{field} is {len(value)} characters long; at most {max_length} are allowed.",
            field=field,
            allowed=f"at most {max_length} characters",
        )
    return value


def refused_by_database(error: Exception, query: Mapping[str, str]) -> Invalid | None:
    """The refusal behind the driver's error on U+0000, naming the field of ``query`` that holds it.

    Doors check what they take; this is for the one that forgot, so that it answers 400 and not 500.
    """
    if not isinstance(error, DataError) or "cannot contain NUL" not in str(error):
        return None
    field = next((name for name, value in query.items() if "\x00" in name + value), None)
    return Invalid(
        f"{(field or 'The request').replace(chr(0), ' ')} holds U+0000, which can neither be kept nor looked up.",
        field=field,
        allowed="text without U+0000",
    )


def checked_json(value: Any, field: str, *, depth: int = 0) -> Any:
    """``value`` if jsonb can hold it; else Invalid with the path of what it cannot."""
    if depth > MAX_DEPTH:
        raise Invalid(f"{field} is nested deeper than {MAX_DEPTH} levels.", field=field)
    if isinstance(value, str):
        return storable_text(value, field, 1_000_000)
    if isinstance(value, float) and not math.isfinite(value):
        raise Invalid(
            f"{field} is {json.dumps(value)}; only finite numbers are allowed.",
            field=field,
            allowed="finite number",
        )
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        raise Invalid(
            f"{field} is too large; whole numbers go from -2^63 to 2^63 - 1.",
            field=field,
            allowed="64-bit number",
        )
    if isinstance(value, dict):
        for key, item in value.items():
            storable_text(key, f"{field} key", 1_000)
            checked_json(item, f"{field}.{key}", depth=depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            checked_json(item, f"{field}[{index}]", depth=depth + 1)
    return value


def with_unseen_shown(text: str) -> str:
    """The text for reading, where what no eye sees (bidirectional, zero-width, control) is its code point.

    Else whoever decides on a text reads another one than a program gets.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_seen(text, at) for at in range(len(text)))


def _seen(text: str, at: int) -> str:
    character = text[at]
    if unicodedata.category(character) not in {"Cc", "Cf"} or character in "\n\r\t":
        return character
    if character in JOINERS and not (text[at - 1 : at] + text[at + 1 : at + 2]).isascii():
        return character
    return f"\u27e8U+{ord(character):04X}\u27e9"
