"""manage.py import_mlflow --uri URL --owner ACCOUNT [--model NAME…] [--dry-run] [--report FILE]"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from accounts.models import Account
from core.errors import DomainError
from registry.imports.bringing import Importer, Say
from registry.imports.display import console_on, printable, show
from registry.imports.report import Report
from registry.imports.server import FoundModel, MlflowServer

INTERRUPTED = "Interrupted; run the same command again to go on."


class Command(BaseCommand):
    help = "Bring registered models from an MLflow server; run again, it goes on where it stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--uri", required=True, help="the server's address: https://mlflow.example.org")
        parser.add_argument("--owner", required=True, help="the account that owns what comes")
        parser.add_argument("--model", nargs="+", action="extend", help="only these models; default: all")
        parser.add_argument("--token-file", help="a file with a bearer token, or name:password")
        parser.add_argument("--report", help="write the report to this file, as JSON")
        parser.add_argument("--dry-run", action="store_true", help="report what would come; write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = Account.objects.filter(username__iexact=options["owner"], is_active=True).first()
        if owner is None:
            raise CommandError(f"There is no active account named {options['owner']}.")
        _refuse_unwritable(options["report"])
        try:
            server = MlflowServer(options["uri"], _secret(options["token_file"]))
            report = Report(server.url, is_rehearsal=options["dry_run"])
            self._import(server, owner, report, options["model"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        show(report, console_on(self.stdout))
        if options["report"]:
            _write(report, Path(options["report"]))
        if report.stopped:
            raise CommandError(report.stopped)

    def _import(self, server: MlflowServer, owner: Account, report: Report, names: list[str] | None) -> None:
        """What came before an import stopped is kept and reported."""
        with _progress() as say:
            importer = Importer(server, owner, report, say)
            models = _models(server, names)
            try:
                importer.bring(models)
            except KeyboardInterrupt:
                report.stopped = INTERRUPTED
            except DomainError as error:
                report.stopped = f"{error} Run the same command again to go on."


def _models(server: MlflowServer, names: list[str] | None) -> list[FoundModel]:
    """Those asked for, which must all be there, or every one."""
    if names:
        return [server.model(name) for name in dict.fromkeys(names)]
    return list({each.name: each for each in (*server.models(), *server.prompts())}.values())


def _secret(file: str | None) -> str:
    if file is None:
        return ""
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise CommandError(f"--token-file {file} cannot be read: {type(error).__name__}.") from error


def _refuse_unwritable(file: str | None) -> None:
    """Told before hours of copying, not after."""
    if file and not Path(file).absolute().parent.is_dir():
        raise CommandError(f"--report {file} is in no folder that exists.")


def _write(report: Report, file: Path) -> None:
    try:
        file.write_text(json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--report {file} cannot be written: {error.strerror}.") from error


@contextmanager
def _progress() -> Iterator[Say]:
    """A moving line on a terminal; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    console = Console(stderr=True, highlight=False)
    with console.status("Asking the server") as status:
        yield lambda text: status.update(printable(text))
