"""Reading a public key that somebody wants trusted."""

from __future__ import annotations

import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from core.errors import Invalid
from core.text import checked_text

LONGEST_PEM = 2000
ALLOWED = "a public key on the curve P-256 in PEM (BEGIN PUBLIC KEY)"


def read_public_key(value: object) -> tuple[str, str]:
    """The key in one spelling, and the SHA-256 of its DER form; Invalid for any other thing."""
    text = checked_text(value, "public_key", LONGEST_PEM, min_length=1, multiline=True)
    if "PRIVATE" in text:
        raise Invalid(
            "That is a private key: whoever has seen it can sign. Make a new one and send its public half.",
            field="public_key",
            allowed=ALLOWED,
        )
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise Invalid(f"public_key must be {ALLOWED}.", field="public_key", allowed=ALLOWED) from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Invalid(f"public_key must be {ALLOWED}.", field="public_key", allowed=ALLOWED)
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode(), hashlib.sha256(der).hexdigest()
