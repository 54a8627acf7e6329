"""Secrets made at first use and kept readable for their owner alone."""

import os
import secrets
from pathlib import Path


def generated(path: Path) -> str:
    """The secret in ``path``, made now if there is none yet."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text().strip()
