"""Does this folder hold exactly the files that a version's manifest lists?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


class ManifestMismatch(Exception):
    """The bytes are not those that were registered: they must not be loaded."""


def verify(folder: Path, manifest: Iterable[Mapping[str, Any]]) -> int:
    """Hash every file; answer how many bytes there are, or raise ManifestMismatch."""
    expected = {entry["path"]: entry for entry in manifest}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
    if odd := sorted(found ^ set(expected)):
        verb = "is missing" if odd[0] in expected else "is not in the manifest"
        raise ManifestMismatch(f"{odd[0]} {verb}.")
    total = 0
    for name, entry in sorted(expected.items()):
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise ManifestMismatch(f"{name} is not a plain file.")
        with path.open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
        if digest != entry["sha256"]:
            raise ManifestMismatch(f"{name} has the SHA-256 {digest}, registered was {entry['sha256']}.")
        total += path.stat().st_size
    return total
