"""manage.py play_demo: the story, once, on a running stack."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from controlplane.demo import people
from controlplane.demo.cast import Cast
from controlplane.demo.display import Display
from controlplane.demo.doors import DoorError
from controlplane.demo.marks import begun_mark, how_to_begin_anew, is_broken_off, played_mark
from controlplane.demo.story import SAMPLE, Story
from controlplane.stack.stack import Stack

INTERRUPTED = 130
FILE_WIDTH = 400


class Command(BaseCommand):
    help = "Play the demo's story through the public doors, unless it has been played."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--sample",
            type=int,
            default=SAMPLE,
            help=f"after April ask for one flight in so many (default {SAMPLE})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        os.umask(0o077)  # what it exports is for its owner alone
        data_dir = Path(settings.DATA_DIR)
        # A terminal wraps as it likes; in a file no line is broken.
        console = Console(highlight=False, width=None if sys.stdout.isatty() else FILE_WIDTH)
        passwords = people.create(data_dir / "keys")
        if played_mark(data_dir).exists():
            console.print("The story was played before; its data are here.")
        elif is_broken_off(data_dir):
            raise CommandError(f"An earlier story ended in its middle. {self._anew()}")
        else:
            begun_mark(data_dir).touch()
            try:
                self._play(passwords, console, max(1, options["sample"]))
            except KeyboardInterrupt:
                said = f"The story was interrupted. {self._anew()}"
                raise CommandError(said, returncode=INTERRUPTED) from None
            played_mark(data_dir).touch()
        self._tell(passwords, console)

    def _play(self, passwords: dict[str, str], console: Console, sample: int) -> None:
        display = Display(console)
        tokens = {name: people.token(name) for name in ("scientist", "operator", "auditor")}
        cast = Cast(
            settings.PUBLIC_URL,
            settings.GATEWAY_URL,
            tokens,
            passwords,
            display,
            bundle=Path(settings.DATA_DIR) / "exports" / "year-2013.zip",
        )
        console.print(f"The pages answer at {settings.PUBLIC_URL} while the story goes on.")
        try:
            Story(cast, sample).play()
        except DoorError as error:
            raise CommandError(f"The story stopped: {error}\n{self._anew()}") from error
        console.print(f"\nThe story took {display.total_seconds:.0f} s.")

    def _anew(self) -> str:
        stack = Stack(Path(settings.DATA_DIR))
        stack.take_ports()
        return how_to_begin_anew(stack.data_dir, stack.port, stack.gateway_port)

    def _tell(self, passwords: dict[str, str], console: Console) -> None:
        console.print(f"{settings.PUBLIC_URL}  ·  gateway {settings.GATEWAY_URL}")
        table = Table()
        table.add_column("Account")
        table.add_column("Password")
        for name, password in passwords.items():
            table.add_row(name, password)
        console.print(table)
