"""manage.py up: the whole stack, in one command."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from controlplane.stack.places import data_dir
from controlplane.stack.processes import ROOT
from controlplane.stack.refusals import CannotStart
from controlplane.stack.stack import Stack


class Command(BaseCommand):
    help = "Start every process of the stack; with --demo also play the story once."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--gateway-port", type=int, default=8001)
        parser.add_argument("--detach", action="store_true", help="return when it is ready")
        parser.add_argument("--demo", action="store_true", help="play the story on real data, once")

    def handle(self, *args: Any, **options: Any) -> None:
        stack = Stack(data_dir(), options["port"], options["gateway_port"], say=self._say)
        signal.signal(signal.SIGTERM, _as_interrupt)
        try:
            if stack.is_running():
                stack.take_ports()
                stack.wait_ready()  # somebody else may be starting it right now
                self._say(f"The stack is already running: {stack.facts()['environment']['PUBLIC_URL']}")
                if options["demo"]:
                    self._play(stack)
                return
            process = stack.start(detach=options["detach"])
            self._say(f"Ready: {stack.facts()['environment']['PUBLIC_URL']}")
            if options["demo"]:
                self._play(stack)
            if not options["detach"]:
                self._watch(process)
        except CannotStart as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            self._say("Stopping…")
            stack.stop()
            self._say("Stopped; the data is kept.")

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        self._say("Running until Ctrl-C.")
        if process.wait() != 0:
            raise CommandError("The supervisor was killed, so the stack has ended; the data is kept.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _play(self, stack: Stack) -> None:
        """In a process of its own: the story uses only the public doors."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "play_demo", "--data-dir", str(stack.data_dir)],
            check=False,
        )
        if done.returncode:
            raise CommandError("The story did not come to its end; the stack runs on. See the message above.")


def _as_interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
