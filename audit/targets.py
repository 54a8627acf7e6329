"""What an event is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LONGEST_NAME = 300


@dataclass(frozen=True)
class Target:
    """The object of an event, named so that the event is readable after the object is gone."""

    type: str
    id: str
    name: str = ""
    revision: int | str | None = None
    digest: str | None = None

    @property
    def pk(self) -> str:
        """So that panels are shown about what is no row of ours."""
        return self.id

    @classmethod
    def of(cls, thing: Any) -> Target:
        """Any model instance: its label, key, words, and ``rev`` and ``digest`` if it has them."""
        if isinstance(thing, cls):
            return thing
        return cls(
            type=thing._meta.label_lower,
            id=str(thing.pk),
            name=str(thing)[:LONGEST_NAME],
            revision=_plain(thing, "rev"),
            digest=_plain(thing, "digest") or None,
        )

    def as_record(self) -> dict[str, Any]:
        """Only what is known."""
        known = {
            "type": self.type,
            "id": self.id,
            "name": self.name,
            "revision": self.revision,
            "digest": self.digest,
        }
        return {name: value for name, value in known.items() if value not in (None, "")}


def _plain(thing: Any, name: str) -> Any:
    value = thing.__dict__.get(name)
    return value if isinstance(value, int | str) else None
