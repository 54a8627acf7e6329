"""How two contract documents differ, rule by rule, and whether the newer one asks for more."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

TIGHTER, LOOSER, OTHER = "tighter", "looser", "other"
RULES = ("type", "min", "max", "max_null_share", "allowed", "description")


@dataclass(frozen=True)
class Change:
    """One rule that is new, gone or different; ``effect`` is tighter, looser or other."""

    path: str
    before: Any
    after: Any
    effect: str

    @property
    def words(self) -> str:
        if self.before is None:
            return f"{self.path} is new: {_shown(self.after)}"
        if self.after is None:
            return f"{self.path} is gone, it was {_shown(self.before)}"
        return f"{self.path} changes from {_shown(self.before)} to {_shown(self.after)}"

    @property
    def before_words(self) -> str:
        return _shown(self.before)

    @property
    def after_words(self) -> str:
        return _shown(self.after)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "words": self.words}


def changes_between(before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[Change]:
    """Every rule that differs, volume first, then columns in the newer document's order."""
    old, new = before or {}, after or {}
    found = [
        *_ends("rows", old.get("rows") or {}, new.get("rows") or {}, ("min", "max")),
        *_plain("extra_columns", old.get("extra_columns", "allow"), new.get("extra_columns", "allow")),
        *_plain("description", old.get("description"), new.get("description")),
    ]
    columns = {**(new.get("columns") or {}), **(old.get("columns") or {})}
    for name in dict.fromkeys([*(new.get("columns") or {}), *columns]):
        found += _column(name, (old.get("columns") or {}).get(name), (new.get("columns") or {}).get(name))
    return [*found, *_unique(old.get("unique") or [], new.get("unique") or [])]


def _column(name: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[Change]:
    where = f"columns.{name}"
    if old is None or new is None:
        return [Change(where, old, new, TIGHTER if old is None else LOOSER)]
    found = _ends(where, old, new, ("min", "max"))
    found += _plain(f"{where}.type", old.get("type"), new.get("type"))
    found += _ends(where, {"max_null_share": 0.0} | old, {"max_null_share": 0.0} | new, ("max_null_share",))
    found += _values(f"{where}.allowed", old.get("allowed"), new.get("allowed"))
    return found + _plain(f"{where}.description", old.get("description"), new.get("description"))


def _ends(where: str, old: dict[str, Any], new: dict[str, Any], ends: tuple[str, ...]) -> list[Change]:
    """Bounds: a higher ``min``, a lower maximum and a bound where there was none ask for more."""
    found = []
    for end in ends:
        before, after = old.get(end), new.get(end)
        if before == after:
            continue
        if before is None or after is None:
            effect = TIGHTER if before is None else LOOSER
        elif isinstance(before, str) != isinstance(after, str):
            effect = OTHER
        else:
            effect = TIGHTER if (after > before) == (end == "min") else LOOSER
        found.append(Change(f"{where}.{end}", before, after, effect))
    return found


def _values(where: str, old: list[Any] | None, new: list[Any] | None) -> list[Change]:
    if old is None or new is None:
        return [] if old == new else [Change(where, old, new, TIGHTER if old is None else LOOSER)]
    gone = [each for each in old if each not in new]
    added = [each for each in new if each not in old]
    if not gone and not added:
        return []
    effect = OTHER if gone and added else TIGHTER if gone else LOOSER
    return [Change(where, gone or None, added or None, effect)]


def _plain(where: str, old: Any, new: Any) -> list[Change]:
    if old == new:
        return []
    effect = OTHER
    if where == "extra_columns":
        effect = TIGHTER if new == "forbid" else LOOSER
    return [Change(where, old, new, effect)]


def _unique(old: list[Any], new: list[Any]) -> list[Change]:
    before, after = (
        [[each] if isinstance(each, str) else list(each) for each in keys] for keys in (old, new)
    )
    gone = [Change("unique", key, None, LOOSER) for key in before if key not in after]
    return gone + [Change("unique", None, key, TIGHTER) for key in after if key not in before]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        more = f" and {len(value) - 8} more" if len(value) > 8 else ""
        return ", ".join(map(str, value[:8])) + more
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(value[name])}" for name in RULES if name in value)
    return str(value)
