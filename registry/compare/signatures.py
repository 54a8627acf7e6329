"""What a new version asks of its clients that the old one did not; pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from registry.signature import Column, columns_of


@dataclass(frozen=True)
class ColumnChange:
    """One column of the input, output or parameters; ``breaks`` says that clients must change."""

    part: str
    name: str
    change: str
    a: str
    b: str
    breaks: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def changes_of(a: dict[str, Any] | None, b: dict[str, Any] | None) -> list[ColumnChange]:
    """Columns added, removed, of another type, or required where they were optional; breaking first."""
    if not (a and b):
        return []  # without a signature nothing was asked or promised
    before = {(each.part, each.name): each for each in columns_of(a)}
    after = {(each.part, each.name): each for each in columns_of(b)}
    changes = [change for key in {**before, **after} if (change := _change(before.get(key), after.get(key)))]
    return sorted(changes, key=lambda change: not change.breaks)


def _change(before: Column | None, after: Column | None) -> ColumnChange | None:
    if before is None:
        assert after is not None
        return _said(after, "added", before, after, breaks=after.part == "Input" and _is_required(after))
    if after is None:
        return _said(before, "removed", before, after, breaks=before.part == "Output")
    if before.type != after.type:
        return _said(after, "type changed", before, after, breaks=True)
    if _is_required(before) == _is_required(after):
        return None
    if _is_required(after):
        return _said(after, "optional to required", before, after, breaks=after.part == "Input")
    return _said(after, "required to optional", before, after, breaks=after.part == "Output")


def _said(
    column: Column, change: str, before: Column | None, after: Column | None, *, breaks: bool
) -> ColumnChange:
    return ColumnChange(column.part, column.name, change, _words(before), _words(after), breaks)


def _is_required(column: Column) -> bool:
    """MLflow's rule: a column of which nothing is said is required; parameters have defaults."""
    if column.part == "Parameter":
        return False
    return column.is_required is not False


def _words(column: Column | None) -> str:
    if column is None:
        return ""
    return column.type if _is_required(column) or column.part == "Parameter" else f"{column.type}, optional"
