"""The columns of a table here, where they can be read without the server."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import typer

LONGEST_HEADER = 1 << 20
SHOWN = 20


def require_columns(file: Path, named: Mapping[str, str | None], keys: Sequence[str]) -> None:
    """Refuse a column that the table does not have, before any of it is sent."""
    asked = [*((option, name) for option, name in named.items() if name), *(("--key", name) for name in keys)]
    known = columns_of(file) if asked else None
    if known is None:
        return
    for option, name in asked:
        if name not in known:
            more = f" and {len(known) - SHOWN} more" if len(known) > SHOWN else ""
            raise typer.BadParameter(
                f"{option}: {file.name} has no column {name!r}; it has {', '.join(known[:SHOWN])}{more}"
            )


def columns_of(file: Path) -> list[str] | None:
    """Names in their order, or None where only the server knows: Parquet without pyarrow, other files."""
    if not file.is_file():
        return None
    with file.open("rb") as source:
        line = source.readline(LONGEST_HEADER)
    if line.startswith(b"PAR1"):
        return _of_parquet(file)
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    names = next(csv.reader([text]), [])
    # One alone may be a header with another separator, and one in quotes may go on in the next line.
    is_whole = line.endswith(b"\n") and text.count('"') % 2 == 0 and "\x00" not in text
    return names if is_whole and len(names) > 1 else None


def _of_parquet(file: Path) -> list[str] | None:
    if find_spec("pyarrow") is None:
        return None
    try:
        return list(import_module("pyarrow.parquet").read_schema(file).names)
    except (OSError, ValueError):  # ArrowInvalid is one
        return None
