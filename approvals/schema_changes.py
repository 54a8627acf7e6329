"""How the inputs of two versions differ, and whether today's callers would notice."""

from __future__ import annotations

from typing import Any

Columns = dict[str, dict[str, Any]]


def columns_of(signature: dict[str, Any] | None) -> Columns:
    """Input columns by name; a version without a signature has none."""
    inputs = (signature or {}).get("inputs") or []
    return {str(each["name"]): each for each in inputs if isinstance(each, dict) and "name" in each}


def changes_between(before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[dict[str, str]]:
    """One entry per column that differs: ``kind`` is breaking or compatible, ``words`` say what.

    A new required column and a changed type break callers; a column no longer asked for does not.
    """
    old, new = columns_of(before), columns_of(after)
    changes = []
    for name in sorted({*old, *new}):
        if name not in new:
            changes.append(_change("compatible", "removed", name, f"{name} is no longer asked for"))
        elif name not in old:
            required = new[name].get("required", True)
            kind = "breaking" if required else "compatible"
            changes.append(
                _change(kind, "added", name, f"{name} is new and {'required' if required else 'optional'}")
            )
        elif old[name].get("type") != new[name].get("type"):
            words = f"{name} changes from {old[name].get('type')} to {new[name].get('type')}"
            changes.append(_change("breaking", "changed", name, words))
    return changes


def _change(kind: str, what: str, column: str, words: str) -> dict[str, str]:
    return {"kind": kind, "change": what, "column": column, "words": words}
