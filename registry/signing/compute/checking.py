"""Checking an OpenSSF model signature: whether it holds, for which key, and over all files.

The library leaves out the paths that a signature itself says to leave out. A signature over half
of a model is none, so the files it names are compared with those of the version.
"""

from __future__ import annotations

import base64
import binascii
import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_signing import hashing, verifying

SIGNATURE = "model.sig"
SHOWN = 5


@dataclass(frozen=True)
class Verdict:
    """``key`` is the name of the key it holds for; ``finding`` says what is wrong."""

    is_verified: bool
    key: str = ""
    finding: str = ""


def check(folder: Path, files: Iterable[str], keys: Mapping[str, str]) -> Verdict:
    """Judge ``model.sig`` in a folder that holds exactly ``files``; ``keys`` are PEM by name."""
    try:
        signed = _signed_files(folder / SIGNATURE)
    except (ValueError, KeyError, TypeError) as error:
        return Verdict(False, finding=f"The signature cannot be read: {error}"[:1000])
    key, finding = _holding_key(folder, keys)
    if not key:
        return Verdict(False, finding=finding)
    if left_out := sorted(set(files) - signed - {SIGNATURE}):
        names = ", ".join(left_out[:SHOWN])
        return Verdict(False, key, f"It leaves out {len(left_out)} of the version's files: {names}")
    return Verdict(True, key)


def _holding_key(folder: Path, keys: Mapping[str, str]) -> tuple[str, str]:
    """The key the signature holds for, or why it holds for none; no name: no key of ours made it."""
    for name, pem in keys.items():
        try:
            _verify(folder, pem)
        except ValueError as error:
            if not str(error).startswith("Key mismatch"):
                return "", f"With the key {name}: {error}"[:1000]
        except Exception as error:  # the library passes on what its parsers and ciphers raise
            return "", f"With the key {name}: {type(error).__name__} {error}"[:1000]
        else:
            return name, ""
    return "", ""


def _verify(folder: Path, pem: str) -> None:
    hashed = hashing.Config().set_ignored_paths(paths=[folder / SIGNATURE], ignore_git_paths=False)
    with tempfile.NamedTemporaryFile(suffix=".pem") as key:
        key.write(pem.encode())
        key.flush()
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=key.name)
        verifier.set_hashing_config(hashed).verify(folder, folder / SIGNATURE)


def _signed_files(path: Path) -> set[str]:
    """What the signature says it covers; believed only once it holds."""
    try:
        bundle: Any = json.loads(path.read_bytes())
        statement: Any = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"], validate=True))
    except (binascii.Error, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"{type(error).__name__}") from error
    predicate = statement["predicate"]
    if predicate["serialization"]["method"] != "files":
        raise ValueError("it is over pieces of files; sign whole files")
    return {str(resource["name"]) for resource in predicate["resources"]}
