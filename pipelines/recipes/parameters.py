"""What a pipeline may be asked, checked before anything starts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.actors import Actor
from core.errors import Invalid
from core.text import checked_text
from pipelines.models import DatasetVersion

MOST_ENTRIES = 100


@dataclass(frozen=True)
class Parameter:
    """One question: ``kind`` is text, integer, number, integers or texts."""

    name: str
    kind: str
    words: str
    default: Any = None
    is_required: bool = False
    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    longest: int = 200

    @property
    def field(self) -> str:
        return f"parameters.{self.name}"

    def checked(self, value: Any) -> Any:
        """The value, or Invalid naming the parameter and what it may hold."""
        if self.kind in {"integers", "texts"}:
            return self._list(value)
        return self._one(value, self.field)

    def allowed(self) -> str:
        if self.choices:
            return ", ".join(map(str, self.choices))
        if self.low is not None or self.high is not None:
            return f"{self.low} to {self.high}"
        return {"text": f"1 to {self.longest} characters"}.get(self.kind, self.kind)

    def _list(self, value: Any) -> list[Any]:
        if not isinstance(value, list) or not value or len(value) > MOST_ENTRIES:
            raise Invalid(
                f"{self.field} must be a list of 1 to {MOST_ENTRIES} values.",
                field=self.field,
                allowed=f"a list of {self.allowed()}",
            )
        entries = [self._one(each, f"{self.field}[{at}]") for at, each in enumerate(value)]
        if len(set(entries)) != len(entries):
            raise Invalid(f"{self.field} names a value twice.", field=self.field, allowed="each value once")
        return entries

    def _one(self, value: Any, field: str) -> Any:
        if self.kind in {"text", "texts"}:
            value = checked_text(value, field, self.longest, min_length=1 if self.is_required else 0)
        elif self.kind in {"integer", "integers"}:
            if isinstance(value, bool) or not isinstance(value, int):
                raise Invalid(f"{field} must be a whole number.", field=field, allowed=self.allowed())
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Invalid(f"{field} must be a finite number.", field=field, allowed=self.allowed())
        outside = self.choices and value not in self.choices
        outside = outside or (self.low is not None and value < self.low)
        outside = outside or (self.high is not None and value > self.high)
        if outside:
            raise Invalid(f"{field} must be {self.allowed()}.", field=field, allowed=self.allowed())
        return value


def no_data(actor: Actor, parameters: dict[str, Any]) -> list[DatasetVersion]:
    """For recipes that read nothing registered."""
    return []


@dataclass(frozen=True)
class Recipe:
    """``data`` finds the versions to read, among those the actor may see."""

    name: str
    parameters: tuple[Parameter, ...]
    queue: str = "default"
    data: Callable[[Actor, dict[str, Any]], list[DatasetVersion]] = no_data

    def checked(self, given: Any) -> dict[str, Any]:
        """Every parameter with its value or default; unknown ones are refused."""
        if not isinstance(given, dict):
            raise Invalid("parameters must be an object.", field="parameters", allowed="an object")
        known = {each.name: each for each in self.parameters}
        for name in given:
            if name not in known:
                allowed = ", ".join(known)
                raise Invalid(
                    f"parameters.{name} is not known; allowed are: {allowed}.",
                    field=f"parameters.{name}",
                    allowed=allowed,
                )
        values = {}
        for name, parameter in known.items():
            if given.get(name) is None:
                if parameter.is_required:
                    raise Invalid(
                        f"{parameter.field} is missing.", field=parameter.field, allowed=parameter.allowed()
                    )
                values[name] = parameter.default
            else:
                values[name] = parameter.checked(given[name])
        return values
