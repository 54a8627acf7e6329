"""One fact about a version, as pages show it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """One fact about a version: ``tone`` is ok, warn, bad or info."""

    tone: str
    icon: str
    title: str
    detail: str = ""

    @property
    def look(self) -> str:
        return f"i t-{self.tone}"
