"""One fact about a version, as pages show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """One fact about a version: ``tone`` is ok, warn, bad or info; one that ``forbids`` stands in the way."""

    tone: str
    icon: str
    title: str
    detail: str = ""
    address: str = ""
    link: str = ""
    forbids: bool = False

    @property
    def look(self) -> str:
        return f"i t-{self.tone}"
