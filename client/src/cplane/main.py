"""The entrance of the command line: every expected failure is a sentence and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

import typer
from controlplane_client import ControlPlaneError, __version__
from rich.console import Console
from rich.text import Text

from cplane import codes
from cplane.commands import (
    account,
    audit,
    comparing,
    datasets,
    doctor,
    models,
    operations,
    requests,
    versions,
)
from cplane.output import plain

# What shells say of a program that Ctrl-C ended.
STOPPED = 130
EPILOG = "Exit codes: " + "; ".join(f"{code} {words}" for code, words in codes.MEANINGS.items()) + "."
app = typer.Typer(
    name="cplane",
    help="Controlplane from the command line.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(account.login)
app.command()(account.logout)
app.command()(account.whoami)
app.command()(doctor.doctor)
app.command()(comparing.compare)
app.command()(requests.approve)
app.command()(operations.deploy)
app.command()(operations.rollback)
app.command()(operations.drift)
app.add_typer(models.app, name="models")
app.add_typer(versions.app, name="versions")
app.add_typer(datasets.app, name="datasets")
app.add_typer(requests.app, name="request")
app.add_typer(audit.app, name="audit")


def _show_version(asked: bool) -> None:
    if asked:
        print(f"cplane {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", help="Print the version.", callback=_show_version, is_eager=True
    ),
) -> None:
    """Controlplane from the command line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit code."""
    try:
        return _run(list(sys.argv[1:] if arguments is None else arguments))
    except ControlPlaneError as error:
        _report(error)
        return codes.code_of(error)
    except OSError as error:  # a file, a folder or the terminal here: all else is a ControlPlaneError
        _silence(sys.stdout)
        where = f"{error.filename}: " if error.filename else ""
        _report(ControlPlaneError({"code": "local", "detail": f"{where}{error.strerror or error}."}))
        return codes.FAILED


def _run(arguments: list[str]) -> int:
    """The command's exit code, once all it printed has arrived."""
    try:
        app(args=arguments, prog_name="cplane")
    except SystemExit as over:
        sys.stdout.flush()
        if over.code == STOPPED:
            print("Stopped. What was sent stays; the same command goes on.", file=sys.stderr)
        return int(over.code or 0)
    sys.stdout.flush()
    return codes.DONE


def _silence(stream: TextIO) -> None:
    """What could not be written is not tried again when Python ends, which would complain once more."""
    with suppress(OSError, ValueError), open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


def _report(error: ControlPlaneError) -> None:
    err = Console(stderr=True, highlight=False, soft_wrap=True)
    err.print(Text.assemble(("Error: ", "bold red"), plain(error.detail)))
    for each in error.errors:
        if each.get("detail") not in (None, error.detail) or each.get("allowed") is not None:
            allowed = f" (allowed: {each['allowed']})" if each.get("allowed") else ""
            err.print(Text(plain(f"  {each.get('pointer') or 'body'}: {each.get('detail')}{allowed}")))
    if error.request_id:
        err.print(Text(f"  Request id: {plain(error.request_id)}", style="dim"))
