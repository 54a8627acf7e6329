"""JSON bodies: what cannot be told apart or stored is refused at the door, with a sentence."""

import json
from math import isfinite
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from core.errors import Invalid

DEEPEST = 64


class StrictJSONParser(JSONParser):
    """JSON without NaN, without one key twice in an object, and not nested without end."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        encoding = (parser_context or {}).get("encoding", "utf-8")
        try:
            text = stream.read().decode(encoding)
            body = json.loads(text, object_pairs_hook=_once_each)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except (UnicodeDecodeError, LookupError) as error:
            raise ParseError(f"The body is not text in {encoding}.") from error
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}") from error
        _check(body, "", 0)
        return body


def _check(value: Any, place: str, depth: int) -> None:
    """Name what is no JSON number, and half a character (RFC 8259, 8.2); no row could hold them."""
    if depth > DEEPEST:
        raise ParseError("The JSON is nested too deeply.")
    if isinstance(value, float) and not isfinite(value):
        field = place or "body"
        word = json.dumps(value)
        raise Invalid(f"{field} is {word}, which is no JSON number.", field=field, allowed="a finite number")
    if isinstance(value, str):
        if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
            field = place or "body"
            raise Invalid(
                f"{field} holds a lone surrogate, which is half a character.", field=field, allowed="text"
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, f"{place}.(a name)".lstrip("."), depth + 1)
            _check(item, f"{place}.{key}".lstrip("."), depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, f"{place}[{index}]", depth + 1)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known = dict(pairs)
    if len(known) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r:.100} stands twice in one object")
    return known
