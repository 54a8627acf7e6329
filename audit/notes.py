"""Checkpoints as C2SP signed notes: a text people can read, an Ed25519 line machines verify."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = b"\x01"  # Ed25519
DASH = "\u2014"
TIME = "time "


@dataclass(frozen=True)
class Signed:
    """What a checkpoint says."""

    origin: str
    size: int
    root: bytes
    time: str


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + ALGORITHM + public).digest()[:4]


def verifier_key(name: str, public: bytes) -> str:
    """``name+id+key``: what somebody keeps to verify notes of this log."""
    encoded = base64.b64encode(ALGORITHM + public).decode()
    return f"{name}+{key_id(name, public).hex()}+{encoded}"


def checkpoint_text(origin: str, size: int, root: bytes, time: str) -> str:
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n{TIME}{time}\n"


def sign(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """The text, an empty line and the signature line."""
    signature = key_id(name, public_bytes(key)) + key.sign(text.encode())
    return f"{text}\n{DASH} {name} {base64.b64encode(signature).decode()}\n"


def read(note: str) -> Signed:
    """What the note says, signature unchecked."""
    text, _, _ = note.partition("\n\n")
    origin, size, root, *extensions = text.split("\n")
    time = next((line[len(TIME) :] for line in extensions if line.startswith(TIME)), "")
    return Signed(origin, int(size), base64.b64decode(root), time)


def is_signed_by(note: str, verifier: str) -> bool:
    """Whether one of the note's signature lines is by this key."""
    name, identifier, encoded = verifier.split("+", 2)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded)[1:])
    text, _, lines = note.partition("\n\n")
    for line in lines.splitlines():
        dash, _, rest = line.partition(" ")
        signer, _, value = rest.rpartition(" ")
        signature = base64.b64decode(value)
        if dash == DASH and signer == name and signature[:4].hex() == identifier:
            try:
                public.verify(signature[4:], f"{text}\n".encode())
            except InvalidSignature:
                return False
            return True
    return False
