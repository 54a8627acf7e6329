"""What of an event a list says below its sentence: which alias, which tag, from what to what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.utils.text import Truncator

# What an event is about beside its object, in the order in which it is said.
NAMED = ("alias", "tag", "right", "account", "group", "role", "environment", "file", "webhook")
# Long, said elsewhere, or of no use without the rest.
LEFT_OUT = frozenset(
    {"digest", "policy", "tags", "manifest", "metrics", "parameters", "source_digest", "size"}
)
MOST, LONGEST = 3, 60
ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def details(content: dict[str, Any]) -> str:
    """At most three facts, joined; empty where the sentence says it all."""
    extra = content.get("extra") or {}
    said = [f"{name} {_short(extra[name])}" for name in NAMED if _is_plain(extra.get(name))]
    if path := extra.get("path"):
        said.append(f"{extra.get('method', '')} {_short(path)}".strip())
    said += _changes(content.get("before") or {}, content.get("after") or {})
    return " · ".join(said[:MOST])


def _changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for name in after:
        new, old = after[name], before.get(name)
        if name in LEFT_OUT or new == old or not _is_plain(new):
            continue
        words = name.replace("_", " ")
        was = f" (was {_short(old)})" if _is_plain(old) else ""
        yield f"{words} {_short(new)}{was}"
    for name in sorted(before.keys() - after.keys() - LEFT_OUT):
        if _is_plain(before[name]):
            yield f"{name.replace('_', ' ')} was {_short(before[name])}"


def _is_plain(value: Any) -> bool:
    """Something to read: no id, no part of a document."""
    if isinstance(value, str):
        return value != "" and not ID.fullmatch(value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: Any) -> str:
    return Truncator(" ".join(str(value).split())).chars(LONGEST)
