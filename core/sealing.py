"""Secrets that must be read again: kept sealed, so that a copy of the database holds none.

Each secret has a key of its own, and only that key is sealed with the envelope key: changing the
envelope key re-seals small keys and touches no secret. Fernet (AES-CBC with HMAC) does the rest.
"""

from __future__ import annotations

import base64
import hashlib
import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from core.errors import Unavailable


def seal(secret: str) -> str:
    """The secret as text that may lie in a row."""
    own = Fernet.generate_key()
    return json.dumps(
        {"key": _envelope().encrypt(own).decode(), "value": Fernet(own).encrypt(secret.encode()).decode()}
    )


def unseal(sealed: str) -> str:
    """The secret again; Unavailable when the envelope key is not the one it was sealed with."""
    try:
        parts = json.loads(sealed)
        own = _envelope().decrypt(parts["key"].encode())
        return Fernet(own).decrypt(parts["value"].encode()).decode()
    except (InvalidToken, ValueError, KeyError) as error:
        raise Unavailable(
            "A stored secret cannot be opened: ENVELOPE_KEY is not the key it was sealed with."
            " Put the former key into ENVELOPE_KEYS_FORMER.",
            code="envelope_key_wrong",
        ) from error


def reseal(sealed: str) -> str:
    """The same secret under the newest envelope key."""
    parts = json.loads(sealed)
    try:
        return json.dumps({**parts, "key": _envelope().rotate(parts["key"].encode()).decode()})
    except InvalidToken as error:
        raise Unavailable(
            "A stored secret cannot be opened with any known envelope key.", code="envelope_key_wrong"
        ) from error


def _envelope() -> MultiFernet:
    """The newest key seals; former ones still open."""
    keys = [each for each in (settings.ENVELOPE_KEY, *settings.ENVELOPE_KEYS_FORMER) if each]
    if not settings.ENVELOPE_KEY:
        raise Unavailable(
            "ENVELOPE_KEY is not set, so no secret can be kept. Tell whoever runs this installation.",
            code="envelope_key_missing",
        )
    return MultiFernet(
        [Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())) for key in keys]
    )
