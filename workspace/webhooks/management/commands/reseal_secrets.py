"""After a change of ENVELOPE_KEY: seal every kept secret with the new one."""

from typing import Any

from django.core.management.base import BaseCommand

from core.actors import Actor
from core.errors import DomainError
from workspace.webhooks.services import reseal_secrets


class Command(BaseCommand):
    help = (
        "Seal every kept secret with the current ENVELOPE_KEY; ENVELOPE_KEYS_FORMER must hold the former one."
    )

    def handle(self, *arguments: Any, **options: Any) -> None:
        try:
            count = reseal_secrets(actor=Actor.command_line())
        except DomainError as error:
            self.stderr.write(str(error))
            raise SystemExit(1) from error
        self.stdout.write(f"{count} webhooks are sealed with the current key; the former one may go.")
