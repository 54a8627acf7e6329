"""Signing keys in files of mode 0600: the ledger's is the sealer's alone, the export key is the application's."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from core.errors import Unavailable

SEED_BYTES = 32
PRIVATE_MODE = 0o600


def ledger_key() -> Ed25519PrivateKey:
    """The key of checkpoints; only the sealer calls this."""
    return load_or_create(Path(settings.LEDGER_KEY_FILE))


def export_key() -> Ed25519PrivateKey:
    """The key of export manifests."""
    return load_or_create(Path(settings.DATA_DIR) / "keys" / "export_ed25519")


def load_or_create(path: Path) -> Ed25519PrivateKey:
    """The 32-byte seed (hexadecimal) in ``path``; made at first use, never replaced."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE), "w") as file:
            file.write(os.urandom(SEED_BYTES).hex() + "\n")
    except FileExistsError:
        pass
    except OSError as error:
        raise Unavailable(f"The signing key {path.name} cannot be made: {error.strerror}.") from error
    try:
        if path.stat().st_mode & 0o077:
            raise Unavailable(f"The signing key {path.name} can be read by others: set its mode to 0600.")
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    except (OSError, ValueError) as error:
        raise Unavailable(f"The signing key {path.name} cannot be read: {error}.") from error
