"""manage.py issue_token NAME --scope SCOPE… [--days N]"""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.models import Account
from core.actors import Actor
from core.errors import DomainError


class Command(BaseCommand):
    help = "Issue a token for an account and print it, alone, on standard output."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--scope", nargs="+", required=True, help="rights the token may use, or: all")
        parser.add_argument("--days", type=int, default=90)

    def handle(self, *args: Any, **options: Any) -> None:
        account = Account.objects.filter(username__iexact=options["name"], is_active=True).first()
        if account is None:
            raise CommandError(f"There is no active account named {options['name']}.")
        most = services.LONGEST_TOKEN.days
        if not 1 <= options["days"] <= most:
            raise CommandError(f"--days must be a whole number of 1 to {most}.")
        try:
            _, secret = services.issue_token(
                actor=Actor.command_line(),
                account=account,
                name="from the command line",
                scopes=options["scope"],
                lifetime=timedelta(days=options["days"]),
            )
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(secret)
