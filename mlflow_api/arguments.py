"""What a client sent: a query, or a JSON body; unknown fields are ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from core.errors import Invalid
from core.text import storable_text
from mlflow_api.json import loads

LONGEST_TEXT = 1_000_000
MOST_ENTRIES = 10_000
# PostgreSQL's integer; no version has a larger number.
LARGEST_NUMBER = 2**31 - 1


class Arguments:
    """The arguments of one call, checked as they are asked for."""

    def __init__(self, values: Mapping[str, Any], request: HttpRequest | None = None) -> None:
        self.values, self.request = values, request

    @classmethod
    def of(cls, request: HttpRequest, captured: dict[str, str]) -> Arguments:
        """From the query of a GET, the body of anything else, and the address."""
        if request.method == "GET":
            sent: dict[str, Any] = {
                name: found if len(found) > 1 else found[0] for name, found in request.GET.lists()
            }
        else:
            sent = loads(request.body)
        return cls({**sent, **captured}, request)

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str, default: str | None = None, longest: int = LONGEST_TEXT) -> str:
        """A text; without ``default`` it is required."""
        value = self.values.get(name)
        if value is None:
            if default is None:
                raise Invalid(f"Missing value for required parameter '{name}'.", field=name, allowed="text")
            return default
        if not isinstance(value, str):
            raise Invalid(f"{name} must be text.", field=name, allowed="text")
        if default is None and not value:
            raise Invalid(f"Missing value for required parameter '{name}'.", field=name, allowed="text")
        return storable_text(value, name, longest)

    def number(self, name: str, *, default: int, largest: int) -> int:
        """A whole number from 1; clients send it as text in a query."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        allowed = f"1 to {largest}"
        text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
        if not (text.isascii() and text.isdigit() and len(text) < 20 and 1 <= int(text) <= largest):
            raise Invalid(f"{name} must be a whole number from {allowed}.", field=name, allowed=allowed)
        return int(text)

    def version(self, name: str = "version") -> int:
        """A version's number; one too large for any version is a number all the same."""
        value = self.text(name, longest=1000)
        if not (value.isascii() and value.isdigit()):
            raise Invalid(
                f"{name} must be a whole number, not {value[:100]!r}.", field=name, allowed="a version number"
            )
        return min(int(value[:12]), LARGEST_NUMBER) if len(value.lstrip("0")) < 12 else LARGEST_NUMBER

    def flag(self, name: str) -> bool:
        value = self.values.get(name, False)
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        if not isinstance(value, bool):
            raise Invalid(f"{name} must be true or false.", field=name, allowed="true or false")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts; a query repeats the name, and one value is a list of one."""
        value = self.values.get(name)
        if value is None:
            return []
        entries = [value] if isinstance(value, str) else value
        if (
            not isinstance(entries, list)
            or len(entries) > MOST_ENTRIES
            or not all(isinstance(each, str) for each in entries)
        ):
            raise Invalid(f"{name} must be a list of texts.", field=name, allowed="a list of texts")
        return [storable_text(each, f"{name}[{index}]", 10_000) for index, each in enumerate(entries)]

    def tags(self, name: str = "tags") -> dict[str, str]:
        """Tags as MLflow sends them, a list of {key, value}; the last of a key counts."""
        value = self.values.get(name) or []
        if not isinstance(value, list) or len(value) > MOST_ENTRIES:
            raise Invalid(f"{name} must be a list of {{key, value}}.", field=name)
        found: dict[str, str] = {}
        for index, each in enumerate(value):
            if not isinstance(each, dict) or not isinstance(each.get("key"), str):
                raise Invalid(f"{name}[{index}] must be {{key, value}}.", field=f"{name}[{index}]")
            entry = each.get("value", "")
            if not isinstance(entry, str):
                raise Invalid(
                    f"{name}[{index}].value must be text.", field=f"{name}[{index}].value", allowed="text"
                )
            found[each["key"]] = entry
        return found
