"""API tokens: 256 random bits, a prefix people recognise, a checksum scanners can check."""

import hashlib
import secrets
import zlib

PREFIX = "cp_"
SECRET_CHARACTERS = 43
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def new_secret() -> str:
    """``cp_`` + 43 characters (256 bits) + 6 of checksum."""
    body = "".join(secrets.choice(BASE62) for _ in range(SECRET_CHARACTERS))
    return f"{PREFIX}{body}{_checksum(body)}"


def looks_right(secret: str) -> bool:
    """Whether prefix and checksum fit: a typing error never reaches the database."""
    body, checksum = secret[len(PREFIX) : -6], secret[-6:]
    return secret.startswith(PREFIX) and len(body) == SECRET_CHARACTERS and _checksum(body) == checksum


def sha256_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits
