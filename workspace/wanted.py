"""What somebody typed into the palette, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from registry.names import is_storable

# "flight-delay v3", "flight-delay/3", "flight-delay 3", "v3"; a name may itself end in "-v3".
NUMBERED = re.compile(
    r"^(?P<name>.*?)(?:(?:^|[\s/])v?|[\s/]+version\s+)(?P<number>[1-9]\d{0,8})$", re.IGNORECASE
)
MOST_WORDS = 200


@dataclass(frozen=True)
class Wanted:
    """All that was typed, and the model's name and version number that it may mean."""

    words: str
    name: str
    number: int | None = None


def wanted(typed: str) -> Wanted | None:
    """None for text that nothing here can be named."""
    words = " ".join(typed[:MOST_WORDS].split())
    if words and not is_storable(words):
        return None
    numbered = NUMBERED.match(words)
    if numbered is None:
        return Wanted(words, words)
    return Wanted(words, numbered["name"].strip(), int(numbered["number"]))


def line(icon: str, word: str, note: str, address: str) -> dict[str, str]:
    """One line of the results."""
    return {"icon": icon, "word": word, "note": note, "address": address}
