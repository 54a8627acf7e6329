"""``manage.py export_audit --from --to --format bundle|jsonl -o FILE``."""

import os
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from audit import exports
from audit.recording import record
from audit.selecting import Selection, moment
from core.actors import Actor
from core.canonical import sha256_hex
from core.errors import DomainError


class Command(BaseCommand):
    help = "Write the sealed events, or those of a period, to a file that verifies offline."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from", dest="since", help="first moment, as 2013-04-26 or RFC 3339; default: the beginning"
        )
        parser.add_argument(
            "--to", dest="until", help="first moment not included; default: the last checkpoint"
        )
        parser.add_argument(
            "--format", default="bundle", help="bundle or jsonl (csv and parquet are not built yet)"
        )
        parser.add_argument("-o", "--output", required=True, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._export(Path(options["output"]), options)
        except DomainError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{options['output']} cannot be written: {error.strerror}.") from error

    def _export(self, output: Path, options: dict[str, Any]) -> None:
        exports.check_format(options["format"])
        selection = Selection(moment(options["since"], "--from"), moment(options["until"], "--to"))
        actor = Actor.command_line()
        handle, staged = tempfile.mkstemp(dir=output.absolute().parent, prefix=f".{output.name}.")
        os.close(handle)
        try:
            count, checkpoint = exports.make(actor, options["format"], selection, Path(staged))
            os.replace(staged, output)
        finally:
            Path(staged).unlink(missing_ok=True)
        digest = sha256_hex(output.read_bytes())
        after = {
            "format": options["format"],
            "selection": selection.as_json(),
            "events": count,
            "sha256": digest,
        }
        with transaction.atomic():
            record(
                actor=actor,
                action="audit.exported",
                target=exports.LEDGER,
                after={**after, "tree_size": checkpoint.tree_size},
            )
        self.stdout.write(f"{output}: {count} events at checkpoint {checkpoint.tree_size}, sha256:{digest}")
