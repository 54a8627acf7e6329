"""Signatures that prove to a receiver who sent, after the Standard Webhooks specification.

Two sets of headers go out: ``webhook-…`` as the specification names them, and ``X-MLflow-…`` as
MLflow names them, so that receivers written for either need no change.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from contextlib import suppress

PREFIX = "whsec_"
KEY_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def headers_for(delivery_id: str, timestamp: int, body: str, keys: Sequence[str]) -> dict[str, str]:
    """Who sends what and when, signed with each secret: two while one replaces the other."""
    headers = {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "X-MLflow-Delivery-Id": delivery_id,
        "X-MLflow-Timestamp": str(timestamp),
    }
    if keys:
        signed = f"{delivery_id}.{timestamp}.{body}".encode()
        headers["webhook-signature"] = " ".join(_signature(_key(secret), signed) for secret in keys)
        headers["X-MLflow-Signature"] = _signature(keys[0].encode(), signed)
    return headers


def _signature(key: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    """Standard Webhooks keys are base64 behind a prefix; any other text is its own bytes."""
    if secret.startswith(PREFIX):
        with suppress(binascii.Error):
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    return secret.encode()
