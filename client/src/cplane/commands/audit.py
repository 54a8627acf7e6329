"""cplane audit."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cplane import codes
from cplane.output import Form, Output, Printer, Quiet, size
from cplane.session import Url, plane

app = typer.Typer(help="The audit ledger, for those who may audit.", no_args_is_help=True)


class Format(StrEnum):
    BUNDLE = "bundle"
    JSONL = "jsonl"


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to.", dir_okay=False)],
    form: Annotated[Format, typer.Option("--format", help="bundle verifies offline.")] = Format.BUNDLE,
    since: Annotated[str | None, typer.Option("--from", help="RFC 3339; the first moment.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="RFC 3339; the end, excluded.")] = None,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
    url: Url = None,
) -> None:
    """Have a worker write an export, and fetch it. A bundle brings its own verifier."""
    printer = Printer(output, quiet)
    with plane(url) as client:
        made = client.exports.create(form.value, since=since, until=until)
        with printer.waiting("Writing the export"):
            made = client.exports.wait(made.id)
        if made.status != "ready":
            printer.say(f"The export is {made.status}: {made.failure}")
            raise typer.Exit(codes.FAILED)
        with printer.bar("Downloading", made.size or 0) as on_received:
            client.exports.download(made, file, on_received=on_received)
    facts = {"file": file, "events": made.events, "tree size": made.tree_size, "size": size(made.size)}
    printer.item(made, {**facts, "digest": made.digest}, "digest")
