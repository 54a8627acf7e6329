"""Where each setting comes from: environment, NAME_FILE, then the running embedded stack."""

import json
import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

ROLES = {
    "app": "DATABASE_URL",
    "owner": "DATABASE_OWNER_URL",
    "sealer": "DATABASE_SEALER_URL",
    "auditor": "DATABASE_AUDITOR_URL",
    "tracking": "DATABASE_TRACKING_URL",
}


class Environment:
    """Reads each name once; ``data_dir`` holds what the embedded stack wrote about itself.

    ``run/stack.json`` carries addresses under ``environment`` (no secrets: ``{password}`` in a
    database address stands for the content of ``keys/<role>``).
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        stack = data_dir / "run" / "stack.json"
        try:
            self.stack: dict[str, Any] = json.loads(stack.read_text())
        except (OSError, ValueError):
            self.stack = {}

    def get(self, name: str, default: str = "") -> str:
        """The value of ``name``; a NAME_FILE that cannot be read is a refusal, not a default."""
        if os.environ.get(name):
            return os.environ[name]
        if named := os.environ.get(f"{name}_FILE"):
            try:
                return Path(named).read_text().strip()
            except OSError as error:
                raise ImproperlyConfigured(
                    f"{name}_FILE names a file that cannot be read: {error.strerror}."
                ) from error
        return self._embedded(name) or default

    def named(self, prefix: str) -> dict[str, str]:
        """Every variable that starts with ``prefix``, by the rest of its name in small letters."""
        names = {name.removesuffix("_FILE") for name in os.environ if name.startswith(prefix)}
        return {name.removeprefix(prefix).lower(): self.get(name) for name in sorted(names) if name != prefix}

    def key(self, name: str) -> str:
        """A secret the embedded stack made (``keys/<name>``), or the empty string."""
        try:
            return (self.data_dir / "keys" / name).read_text().strip()
        except OSError:
            return ""

    def _embedded(self, name: str) -> str:
        address = str(self.stack.get("environment", {}).get(name, ""))
        if "{password}" not in address:
            return address
        password = self.key(self.stack.get("passwords", {}).get(name, ""))
        return address.replace("{password}", password) if password else ""


def database(url: str, *, pool: dict[str, Any] | None = None) -> dict[str, Any]:
    """Django's connection settings from a libpq address."""
    parts = {str(name): value for name, value in conninfo_to_dict(url).items()} if url else {}
    options: dict[str, Any] = {
        name: value
        for name, value in parts.items()
        if name in {"sslmode", "sslrootcert", "options", "connect_timeout"}
    }
    options.setdefault("connect_timeout", 5)
    if pool:
        options["pool"] = pool
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname") or "controlplane",
        "USER": parts.get("user") or "",
        "PASSWORD": parts.get("password") or "",
        "HOST": parts.get("host") or "127.0.0.1",
        "PORT": str(parts.get("port") or ""),
        "OPTIONS": options,
        "CONN_HEALTH_CHECKS": not pool,
        "CONN_MAX_AGE": 0 if pool else 60,
    }
