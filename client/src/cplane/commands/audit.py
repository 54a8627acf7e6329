"""cplane audit."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cplane import codes, verify_ledger
from cplane.output import Form, Output, Printer, Quiet, plain, size
from cplane.session import Url, plane

UNREADABLE = (verify_ledger.Unreadable, OSError, ValueError, KeyError, TypeError)
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


@app.command()
def verify(
    file: Annotated[
        Path, typer.Argument(help="An export: a bundle or JSON Lines.", exists=True, dir_okay=False)
    ],
    pinned: Annotated[
        Path | None, typer.Option(help="A checkpoint kept earlier: finds an end cut off.", exists=True)
    ] = None,
    public_key: Annotated[
        str | None, typer.Option(help="The log's verifier key as you know it from elsewhere.")
    ] = None,
    consistency: Annotated[
        Path | None, typer.Option(help="A JSON proof from the pinned to the export's tree.", exists=True)
    ] = None,
    output: Output = Form.TABLE,
    quiet: Quiet = False,
) -> None:
    """Verify an export offline: hashes, tree, signatures, and that nothing went live without its quorum.

    No installation is asked. Exit 1 when it was tampered with, 2 when it cannot be read; events that
    were not sealed yet are said and are no failure.
    """
    printer = Printer(output, quiet)
    try:
        verdict = verify_ledger.verify(
            str(file),
            pinned.read_text() if pinned else None,
            public_key,
            json.loads(consistency.read_text()) if consistency else None,
        )
    except UNREADABLE as error:
        printer.say(f"{file} cannot be read as an export of the ledger: {error}")
        raise typer.Exit(codes.USAGE) from None
    told = verify_ledger.as_json(verdict)
    if printer.form is not Form.TABLE:
        printer.data(told)
    elif quiet:
        print(told["result"])
    else:
        print("\n".join(plain(line) for line in verify_ledger.say(verdict) if line))
    if verdict.code == verify_ledger.TAMPERED:
        raise typer.Exit(codes.FAILED)
