"""manage.py prepare: bring the database and the static files up to this code."""

import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Migrate the database (as its owner) and collect the static files when they have changed."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        stamp, now = Path(settings.STATIC_ROOT) / ".stamp", self._fingerprint()
        if not stamp.exists() or stamp.read_text() != now:
            call_command("collectstatic", interactive=False, verbosity=0)
            stamp.write_text(now)

    def _fingerprint(self) -> str:
        """Names, sizes and times of our own static files; packages change with the version."""
        files = sorted(
            path for folder in settings.STATICFILES_DIRS for path in Path(folder).rglob("*") if path.is_file()
        )
        lines = [f"{path} {(facts := path.stat()).st_size} {facts.st_mtime_ns}" for path in files]
        return hashlib.sha256("\n".join([settings.VERSION, *lines]).encode()).hexdigest()
