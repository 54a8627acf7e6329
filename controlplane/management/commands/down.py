"""manage.py down: stop the stack of a data folder."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from controlplane.stack.places import data_dir
from controlplane.stack.refusals import CannotStart
from controlplane.stack.stack import Stack


class Command(BaseCommand):
    help = "Stop every process of the stack; the data is kept."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            ran = Stack(data_dir()).stop()
        except CannotStart as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Stopped; the data is kept." if ran else "The stack is not running.")
