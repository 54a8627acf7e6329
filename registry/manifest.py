"""The list of a version's files, and the digest that stands for all of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from core.canonical import canonical_json, sha256_hex
from core.errors import Invalid
from registry.sources import checked_path

MOST_FILES = 10_000


@dataclass(frozen=True)
class ManifestFile:
    """One file: ``path`` relative to the version, ``size`` in bytes, lower-case ``sha256``."""

    path: str
    size: int
    sha256: str


def listed(files: Iterable[ManifestFile]) -> list[dict[str, Any]]:
    """The manifest as kept and signed: sorted by path, paths in NFC, none twice."""
    entries: list[dict[str, Any]] = sorted(
        ({"path": _path(each.path), "size": each.size, "sha256": each.sha256} for each in files),
        key=lambda entry: str(entry["path"]),
    )
    if not entries:
        raise Invalid("The source holds no files.", field="source")
    if len(entries) > MOST_FILES:
        raise Invalid(f"The source holds more than {MOST_FILES} files.", field="source", allowed=MOST_FILES)
    for before, after in pairwise(entries):
        if before["path"] == after["path"]:
            raise Invalid(f"The source holds two files named {after['path']}.", field="source")
        if after["path"].startswith(before["path"] + "/"):
            raise Invalid(f"{before['path']} is a file and a folder at once.", field="source")
    return entries


def digest_of(manifest: list[dict[str, Any]]) -> str:
    """SHA-256 of the manifest's canonical JSON: the digest of the version."""
    return sha256_hex(canonical_json(manifest))


def read(manifest: list[dict[str, Any]]) -> list[ManifestFile]:
    """A kept manifest as files, with its paths checked again before anything is written."""
    return [
        ManifestFile(_path(entry["path"]), int(entry["size"]), str(entry["sha256"])) for entry in manifest
    ]


def _path(path: str) -> str:
    try:
        checked = checked_path(unicodedata.normalize("NFC", path), "path")
    except Invalid as error:
        why = error.message.split(";")[0].removeprefix("The path ")
        raise Invalid(
            f"The name of the file {path[:200]!r} {why}.", field="path", allowed="a plain relative path"
        ) from error
    if not checked or checked != unicodedata.normalize("NFC", path):
        raise Invalid(f"{path!r} is no plain relative path.", field="path")
    return checked
