"""manage.py up: the whole stack, in one command."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from controlplane.demo.marks import how_to_begin_anew, is_broken_off
from controlplane.stack.places import data_dir
from controlplane.stack.processes import ROOT
from controlplane.stack.refusals import CannotStart
from controlplane.stack.stack import Stack

UNFINISHED = "The story did not come to its end; the stack runs on. See the message above."
LAST_WORDS_SECONDS = 5


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
            if options["demo"] and is_broken_off(stack.data_dir):
                anew = how_to_begin_anew(stack.data_dir, stack.port, stack.gateway_port)
                raise CannotStart(f"The story of this data folder ended in its middle. {anew}")
            if stack.is_running():
                stack.take_ports()
                stack.wait_ready()  # somebody else may be starting it right now
                self._say(f"The stack is already running: {stack.facts()['environment']['PUBLIC_URL']}")
                if options["demo"] and not self._play(stack):
                    raise CommandError(UNFINISHED)
                return
            process = stack.start(detach=options["detach"])
            self._say(f"Ready: {stack.facts()['environment']['PUBLIC_URL']}")
            if options["demo"] and not self._play(stack):
                if options["detach"]:
                    raise CommandError(UNFINISHED)
                self.stderr.write(UNFINISHED)
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

    def _play(self, stack: Stack) -> bool:
        """In a process of its own: the story uses only the public doors. Did it come to its end?"""
        words = [sys.executable, str(ROOT / "manage.py"), "play_demo", "--data-dir", str(stack.data_dir)]
        story = subprocess.Popen(words)
        try:
            return story.wait() == 0
        except KeyboardInterrupt:
            _let_it_say_so(story)
            raise


def _let_it_say_so(story: subprocess.Popen[bytes]) -> None:
    """Ctrl-C in a terminal reaches the story too; a signal to us alone does not."""
    try:
        story.wait(LAST_WORDS_SECONDS)
    except subprocess.TimeoutExpired:
        story.send_signal(signal.SIGINT)
        try:
            story.wait(LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            story.kill()


def _as_interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
