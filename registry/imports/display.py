"""How an import looks in a terminal: a line that moves, and the report at the end."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from registry.imports.report import NEVER_BROUGHT, OUTCOMES, Report

WIDTH_WITHOUT_TERMINAL = 120


def console_on(stream: Any) -> Console:
    """Plain text of a fixed width where nobody watches."""
    is_terminal = stream.isatty()
    return Console(file=stream, width=None if is_terminal else WIDTH_WITHOUT_TERMINAL, highlight=False)


def show(report: Report, console: Console) -> None:
    console.print(_counts(report))
    if noted := report.noted():
        console.print(_notes(noted))
    size = decimal(report.bytes)
    would = "would be" if report.is_rehearsal else "were"
    console.print(f"{report.files} files of {size} {would} copied and hashed.")
    console.print(f"Not part of an import: {'; '.join(NEVER_BROUGHT)}.")
    if report.is_rehearsal:
        console.print("Nothing was written: this was a dry run.")


def _counts(report: Report) -> Table:
    what = "Would come from" if report.is_rehearsal else "Import from"
    table = Table(title=printable(f"{what} {report.server}"), title_justify="left")
    table.add_column("What")
    heads = ("would come", *OUTCOMES[1:]) if report.is_rehearsal else OUTCOMES
    for head in heads:
        table.add_column(head.capitalize(), justify="right")
    for kind, row in report.counts().items():
        table.add_row(kind.capitalize(), *(str(row[outcome]) for outcome in OUTCOMES))
    return table


def _notes(entries: list[Any]) -> Table:
    table = Table(title="To be read", title_justify="left")
    for head in ("What", "Name", "Outcome", "Why"):
        table.add_column(head, overflow="fold")
    for each in entries:
        table.add_row(each.kind.capitalize(), printable(each.name), each.outcome, printable(each.note))
    return table


def printable(text: str) -> Text:
    """Without what a terminal would obey: a name may hold escape sequences, and styles of rich."""
    return Text("".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text))
