"""manage.py create_account NAME --role ROLE [--password-stdin]"""

import secrets
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.roles import ROLES
from core.actors import Actor
from core.errors import DomainError


class Command(BaseCommand):
    help = "Create an account and print its password, unless one is given on standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--role", required=True, help=f"one of {', '.join(sorted(ROLES))}")
        parser.add_argument("--password-stdin", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        given = options["password_stdin"]
        password = _first_line() if given else secrets.token_urlsafe(18)
        try:
            services.create_account(
                actor=Actor.command_line(), username=options["name"], role=options["role"], password=password
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        if not given:
            self.stdout.write(password)


def _first_line() -> str:
    """What standard input says; bytes that are no text reach the service, which refuses them."""
    return sys.stdin.buffer.readline().decode(errors="surrogateescape").rstrip("\r\n")
