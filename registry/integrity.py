"""From the store to a private copy, hashing on the way: no byte is used that was not registered.

A store that does not answer says nothing about the bytes: TryLater is raised, nothing is reported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from core.actors import Actor
from core.errors import Conflict, NotFound
from core.object_store import CHUNK, ObjectMissing, store
from registry.manifest import ManifestFile, digest_of, read
from registry.models import ModelVersion
from registry.services import note_intact, report_broken


class DigestMismatch(Conflict):
    """Stored bytes differ from what was registered. Nothing may be loaded from them."""

    code = "digest_mismatch"
    title = "Digest mismatch"


def materialise(version: ModelVersion, folder: Path, *, actor: Actor | None = None) -> Path:
    """Copy the version's files into an empty folder and prove each one; answers the folder.

    A difference is reported (``registry.integrity_broken``) and raised as DigestMismatch.
    """
    _require_ready(version)
    folder.mkdir(parents=True, exist_ok=True)
    for entry in _proven_manifest(version, actor):
        try:
            found = store().copy_to(entry.sha256, folder / entry.path)
        except ObjectMissing as error:
            _broken(version, entry.path, str(error), actor)
        _require_as_registered(version, entry, found.digest, actor)
    return folder


def opened(version: ModelVersion, entry: ManifestFile, *, actor: Actor | None = None) -> BinaryIO:
    """The stored bytes of one file, unproven; that they are gone is reported like any other difference."""
    try:
        return store().open(entry.sha256)
    except ObjectMissing as error:
        _broken(version, entry.path, str(error), actor)


def proven(version: ModelVersion, entry: ManifestFile, *, actor: Actor | None = None) -> Iterator[bytes]:
    """The bytes of one file; the last of them only once all have been found as registered.

    A difference is reported like any other and raised as DigestMismatch, before the whole is out.
    """
    digest, sent, held = hashlib.sha256(), 0, b""
    with opened(version, entry, actor=actor) as content:
        while piece := content.read(CHUNK):
            digest.update(piece)
            if held and sent + len(held) < entry.size:
                sent += len(held)
                yield held
            held = piece
    _require_as_registered(version, entry, digest.hexdigest(), actor)
    yield held


def verify(version: ModelVersion, *, actor: Actor | None = None) -> None:
    """Hash every stored file of the version again; a difference raises DigestMismatch."""
    _require_ready(version)
    for entry in _proven_manifest(version, actor):
        try:
            found = store().digest_of(entry.sha256)
        except ObjectMissing as error:
            _broken(version, entry.path, str(error), actor)
        _require_as_registered(version, entry, found, actor)
    note_intact(actor=actor or Actor.system(), version=version)


def _require_ready(version: ModelVersion) -> None:
    if version.deleted_at is not None:
        raise NotFound(f"{version} has been deleted.")
    if not version.is_ready:
        raise Conflict(f"{version} {version.state_words}, so it has no content yet.")


def _proven_manifest(version: ModelVersion, actor: Actor | None) -> list[ManifestFile]:
    """The manifest's files, once the manifest itself hashes to the version's digest."""
    if digest_of(version.manifest) != version.digest:
        _broken(version, "manifest", "the manifest does not hash to the version's digest", actor)
    return read(version.manifest)


def _require_as_registered(
    version: ModelVersion, entry: ManifestFile, found: str, actor: Actor | None
) -> None:
    if found != entry.sha256:
        words = f"stored bytes hash to {found}, registered was {entry.sha256}"
        _broken(version, entry.path, words, actor)


def _broken(version: ModelVersion, path: str, found: str, actor: Actor | None) -> NoReturn:
    report_broken(actor=actor or Actor.system(), version=version, path=path, found=found)
    raise DigestMismatch(f"{version}: {path}: {found}.", extra={"path": path})
