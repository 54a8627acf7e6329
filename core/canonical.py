"""One byte sequence per value: JSON Canonicalization Scheme (RFC 8785)."""

import hashlib
import json
import unicodedata
from typing import Any

import rfc8785

from core.errors import Invalid

PLAIN = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _normalised(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {_normalised(str(key)): _normalised(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_normalised(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    return str(value)


def _is_plain(value: Any) -> bool:
    """Whether Python's own encoder gives the same bytes: no floats, and keys that sort alike in UTF-16."""
    if isinstance(value, dict):
        return all(key.isascii() and _is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, float)


def canonical_json(value: Any) -> str:
    """RFC 8785 text of ``value`` with strings in NFC; dates and identifiers become strings.

    Raises Invalid for NaN, Infinity and lone surrogates, which JSON cannot carry.
    """
    plain = _normalised(value)
    try:
        if _is_plain(plain):  # nearly always, and four times faster
            return PLAIN.encode(plain).encode().decode()
        return rfc8785.dumps(plain).decode()
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise Invalid(f"The value has no canonical JSON form: {error}.") from error


def sha256_hex(text: str | bytes) -> str:
    """Lower-case SHA-256 of text (as UTF-8) or bytes."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()
