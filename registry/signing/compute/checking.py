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
# How the library begins its refusals.
OTHER_KEY, OTHER_FILES = "Key mismatch", "Signature mismatch"


@dataclass(frozen=True)
class Verdict:
    """``key`` is the name of the key it holds for; ``finding`` says what is wrong."""

    is_verified: bool
    key: str = ""
    finding: str = ""


def check(folder: Path, files: Mapping[str, str], keys: Mapping[str, str]) -> Verdict:
    """Judge ``model.sig`` in a folder that holds exactly ``files`` (SHA-256 by path).

    ``keys`` are PEM by name.
    """
    try:
        signed = _signed_files(folder / SIGNATURE)
    except (ValueError, KeyError, TypeError) as error:
        return Verdict(False, finding=f"The signature cannot be read: {error}"[:1000])
    for name, pem in keys.items():
        refusal = _refusal(folder, pem)
        if refusal.startswith(OTHER_KEY):
            continue
        if refusal and not refusal.startswith(OTHER_FILES):
            return Verdict(False, finding=f"With the key {name}: {refusal}"[:1000])
        finding = _difference(signed, files) or refusal
        return Verdict(not finding, name, finding[:1000])
    return Verdict(False)


def _refusal(folder: Path, pem: str) -> str:
    """What the library has against the signature with this key; nothing when it holds."""
    hashed = hashing.Config().set_ignored_paths(paths=[folder / SIGNATURE], ignore_git_paths=False)
    with tempfile.NamedTemporaryFile(suffix=".pem") as key:
        key.write(pem.encode())
        key.flush()
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=key.name)
        try:
            verifier.set_hashing_config(hashed).verify(folder, folder / SIGNATURE)
        except Exception as error:  # it passes on whatever its parsers and ciphers raise
            return str(error) or type(error).__name__
    return ""


def _difference(signed: Mapping[str, str], files: Mapping[str, str]) -> str:
    """How what was signed and what is registered differ, in words."""
    have = {name: digest for name, digest in files.items() if name != SIGNATURE}
    changed = [name for name in have if name in signed and signed[name] != have[name]]
    return " ".join(
        f"{words} {_some(names)}."
        for words, names in (
            ("Changed since it was signed:", changed),
            ("Not signed:", set(have) - set(signed)),
            ("Signed and missing:", set(signed) - set(have)),
        )
        if names
    )


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else ""
    return ", ".join(ordered[:SHOWN]) + more


def _signed_files(path: Path) -> dict[str, str]:
    """What the signature says it covers; believed only once it holds."""
    try:
        bundle: Any = json.loads(path.read_bytes())
        statement: Any = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"], validate=True))
    except (binascii.Error, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"{type(error).__name__}") from error
    predicate = statement["predicate"]
    how = predicate["serialization"]
    if (how["method"], how["hash_type"]) != ("files", "sha256"):
        raise ValueError("it is not over the SHA-256 of whole files")
    return {str(each["name"]): str(each["digest"]) for each in predicate["resources"]}
