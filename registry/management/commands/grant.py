"""Grant a right on a registered model with the authority of whoever has this host."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from accounts.models import Account
from core.actors import Actor
from core.errors import DomainError
from registry.access.services import GRANTABLE, grant
from registry.models import RegisteredModel


class Command(BaseCommand):
    help = "Grant a right on a registered model to a person; recorded as done from the command line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the account's name")
        parser.add_argument("verb", help=", ".join(GRANTABLE))
        parser.add_argument("model", help="the registered model's name")
        parser.add_argument("--reason", default="Granted from the command line.")

    def handle(self, *args: Any, name: str, verb: str, model: str, reason: str, **options: Any) -> None:
        if not model.strip():
            raise CommandError("The third word must be the name of a registered model; it is empty.")
        account = Account.objects.filter(username__iexact=name).first()
        if account is None:
            raise CommandError(f"There is no account named {name}.")
        row = RegisteredModel.objects.named(model).first()
        if row is None:
            raise CommandError(f"There is no registered model named {model}.")
        try:
            grant(actor=Actor.command_line(), model=row, right=verb, account=account, reason=reason)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{account} may now {verb.replace('_', ' ')} on {row}.")
