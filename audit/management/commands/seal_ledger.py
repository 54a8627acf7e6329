"""``manage.py seal_ledger [--follow]``: the only writer of seals and checkpoints."""

import signal
import time
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.keys import ledger_key
from audit.sealer import BATCH, CannotSeal, Sealer
from core.errors import DomainError

RECONNECT_SECONDS = 2


class Command(BaseCommand):
    help = "Seal committed events into the tree and sign a checkpoint."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--follow", action="store_true", help="keep sealing until stopped")
        parser.add_argument(
            "--accept-new-key", action="store_true", help="start a new key epoch when the key file changed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        url = settings.DATABASE_URLS["sealer"]
        if not url:
            raise CommandError("DATABASE_SEALER_URL is not set and no embedded stack is running: make up")
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        try:
            key = ledger_key()
            while not self.stopping:
                try:
                    self._work(url, key, options)
                except psycopg.OperationalError as error:
                    if not options["follow"]:
                        raise CommandError(f"The database does not answer: {str(error).strip()}") from error
                    time.sleep(RECONNECT_SECONDS)
                if not options["follow"]:
                    return
        except (CannotSeal, DomainError) as error:
            raise CommandError(str(error)) from error

    def _work(self, url: str, key: Any, options: dict[str, Any]) -> None:
        published = Path(settings.DATA_DIR) / "exports" / "checkpoints.txt"
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            sealer = Sealer(connection, key, accept_new_key=options["accept_new_key"], publish=published)
            if options["follow"]:
                sealer.follow(lambda: self.stopping)
                return
            total = 0
            while (sealed := sealer.seal()) is not None:
                total += sealed
                if sealed < BATCH:
                    self.stdout.write(
                        f"Sealed {total} events; the tree has {sealer.tree.size if sealer.tree else 0}."
                    )
                    return
            self.stdout.write("Another sealer is at work.")

    def _stop(self, *_: Any) -> None:
        self.stopping = True
