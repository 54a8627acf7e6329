"""JSON bodies: what cannot be told apart or stored is refused at the door, with a sentence."""

import json
from typing import Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from core.errors import Invalid


class StrictJSONParser(JSONParser):
    """JSON without NaN, without one key twice in an object, and not nested without end."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        encoding = (parser_context or {}).get("encoding", "utf-8")
        try:
            text = stream.read().decode(encoding)
            body = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_once_each)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except (UnicodeDecodeError, LookupError) as error:
            raise ParseError(f"The body is not text in {encoding}.") from error
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}") from error
        _refuse_surrogates(body, "")
        return body


def _refuse_surrogates(value: Any, place: str) -> None:
    """JSON may escape half a character (RFC 8259, 8.2); no answer or row could hold it."""
    if isinstance(value, str):
        if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
            field = place or "body"
            raise Invalid(
                f"{field} holds a lone surrogate, which is half a character.", field=field, allowed="text"
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_surrogates(key, f"{place}.(a name)".lstrip("."))
            _refuse_surrogates(item, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_surrogates(item, f"{place}[{index}]")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    known = dict(pairs)
    if len(known) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r:.100} stands twice in one object")
    return known
