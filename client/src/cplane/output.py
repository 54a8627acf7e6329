"""What a command prints: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
import yaml
from controlplane_client import Job, Record
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

WIDE = 200
# Scripts and emoji need these in running text.
JOINERS = {"\u200c", "\u200d"}


class Form(StrEnum):
    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


Output = Annotated[
    Form, typer.Option("-o", "--output", help="How results are printed.", case_sensitive=False)
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Only names and numbers; no progress, no remarks.")
]


class Printer:
    """Prints in the form asked for. Colour only on a terminal, and never with NO_COLOR."""

    def __init__(self, form: Form, quiet: bool = False) -> None:
        self.form, self.quiet = form, quiet
        width = None if sys.stdout.isatty() else WIDE
        self.out = Console(width=width, highlight=False, soft_wrap=False)
        self.err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)

    def rows(self, items: Iterable[Record], columns: Mapping[str, Callable[[Any], Any]], key: str) -> None:
        """A list: all items in JSON and YAML, one line each in a table, ``key`` alone when quiet."""
        if self.form is not Form.TABLE:
            self.data([each.raw for each in items])
        elif self.quiet:
            for each in items:
                print(plain(getattr(each, key)))
        else:
            self.table(list(columns), [[read(each) for read in columns.values()] for each in items])

    def item(self, record: Record, facts: Mapping[str, Any], key: str) -> None:
        """One thing: as sent in JSON and YAML, a list of facts in a table."""
        if self.form is not Form.TABLE:
            self.data(record.raw)
        elif self.quiet:
            print(plain(getattr(record, key)))
        else:
            self.facts(facts)

    def facts(self, facts: Mapping[str, Any]) -> None:
        table = Table(show_header=False, box=None, pad_edge=False)
        table.add_column(style="dim")
        table.add_column(overflow="fold")
        for name, value in facts.items():
            if value not in (None, "", [], {}):
                table.add_row(name, Text(plain(value)))
        self.out.print(table)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in head:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Text(plain(value)) for value in row))
        self.out.print(table)

    def data(self, value: Any) -> None:
        if self.form is Form.YAML:
            text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
            # Escapes are read in quotes alone, so that text with such characters is written quoted throughout.
            is_odd = any(steers(each) for each in text)
            print(yaml.safe_dump(value, sort_keys=False) if is_odd else text, end="")
        else:
            print(escaped(json.dumps(value, indent=2, ensure_ascii=False)))

    def say(self, words: str) -> None:
        """A remark for the person; never among the results."""
        if not self.quiet:
            self.err.print(Text(plain(words)))

    @contextmanager
    def bar(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """A progress bar of bytes, on a terminal alone."""
        if self.quiet or not self.err.is_terminal:
            yield lambda _: None
            return
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=self.err,
        ) as progress:
            task = progress.add_task(what, total=total or None)
            yield lambda count: progress.advance(task, count)

    @contextmanager
    def waiting(self, what: str) -> Iterator[Callable[[Job], None]]:
        """How far a job is, on a terminal alone."""
        if self.quiet or not self.err.is_terminal:
            yield lambda _: None
            return
        with self.err.status(what) as status:
            yield lambda job: status.update(
                f"{what}: {plain(job.step or job.status)} {job.progress_percent} %"
            )


def plain(value: Any) -> str:
    """As text that cannot steer the terminal."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(value, float) or (isinstance(value, int) and abs(value) >= 10**15):
        return f"{value:.6g}"
    if isinstance(value, dict):
        value = ", ".join(f"{plain(name)}={plain(each)}" for name, each in value.items())
    elif isinstance(value, list | tuple):
        value = ", ".join(plain(each) for each in value)
    return "".join("\ufffd" if steers(each) else each for each in str(value))


def steers(character: str) -> bool:
    """Whether a terminal would act on it: controls, turns of direction, what is not seen, half characters."""
    if character == "\n" or character in JOINERS:
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def escaped(text: str) -> str:
    """JSON or YAML whose quoted text says such characters as an escape, which reads back the same."""
    return "".join(_escape(each) if steers(each) else each for each in text)


def _escape(character: str) -> str:
    number = ord(character)
    if number < 0x10000:
        return f"\\u{number:04x}"
    high, low = divmod(number - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def size(count: int | None) -> str:
    """Bytes in the binary units that the pages show."""
    amount, units = float(count or 0), ["B", "KiB", "MiB", "GiB", "TiB"]
    while amount >= 1024 and len(units) > 1:
        amount, units = amount / 1024, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "B" else f"{amount:.1f} {units[0]}"
