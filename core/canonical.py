"""One byte sequence per value: JSON Canonicalization Scheme (RFC 8785)."""

import hashlib
import unicodedata
from typing import Any

import rfc8785

from core.errors import Invalid


def _normalised(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {_normalised(str(key)): _normalised(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_normalised(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    return str(value)


def canonical_json(value: Any) -> str:
    """RFC 8785 text of ``value`` with strings in NFC; dates and identifiers become strings.

    Raises Invalid for NaN, Infinity and lone surrogates, which JSON cannot carry.
    """
    try:
        return rfc8785.dumps(_normalised(value)).decode()
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise Invalid(f"The value has no canonical JSON form: {error}.") from error


def sha256_hex(text: str | bytes) -> str:
    """Lower-case SHA-256 of text (as UTF-8) or bytes."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()
