"""Bytes under their SHA-256: artifacts, data set versions, segments and exports.

A local folder by default. S3 takes the same interface later; nothing above this file knows
where bytes are.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings

from core.errors import Invalid, Unavailable

CHUNK = 1 << 20
DIGEST = re.compile(r"^[0-9a-f]{64}$")
KEY_PART = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._=@+-]{0,199}$")


@dataclass(frozen=True)
class StoredObject:
    """``digest`` is the lower-case SHA-256, ``size`` in bytes."""

    digest: str
    size: int


class FolderStore:
    """Content-addressed files in a folder, written beside their place and renamed into it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_stream(self, source: BinaryIO | Iterable[bytes]) -> StoredObject:
        """Store what ``source`` yields; constant memory; the same content twice is one file."""
        chunks = iter(lambda: source.read(CHUNK), b"") if hasattr(source, "read") else iter(source)
        staging = self._folder("staging")
        hasher, size = hashlib.sha256(), 0
        handle, name = tempfile.mkstemp(dir=staging)
        try:
            with os.fdopen(handle, "wb") as target:
                for chunk in chunks:
                    hasher.update(chunk)
                    size += len(chunk)
                    target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            digest = hasher.hexdigest()
            place = self.path_for(digest)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.chmod(name, 0o440)
            os.replace(name, place)
        except OSError as error:
            Path(name).unlink(missing_ok=True)
            raise Unavailable(f"The object store cannot be written: {error.strerror}.") from error
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return StoredObject(digest, size)

    def put_file(self, path: Path) -> StoredObject:
        """Store a copy of the file at ``path``."""
        with path.open("rb") as source:
            return self.put_stream(source)

    def path_for(self, digest: str) -> Path:
        """Where the bytes of ``digest`` are; Invalid unless it is 64 hexadecimal digits."""
        if not DIGEST.match(digest):
            raise Invalid("A digest is 64 lower-case hexadecimal digits.", field="digest")
        return self.root / "objects" / digest[:2] / digest[2:4] / digest

    def exists(self, digest: str) -> bool:
        return self.path_for(digest).is_file()

    def open(self, digest: str) -> BinaryIO:
        try:
            return self.path_for(digest).open("rb")
        except FileNotFoundError as error:
            raise Unavailable(f"The store has no object sha256:{digest}.", code="object_missing") from error

    def copy_to(self, digest: str, path: Path) -> StoredObject:
        """Copy to ``path`` and answer the digest of what was really there."""
        hasher, size = hashlib.sha256(), 0
        path.parent.mkdir(parents=True, exist_ok=True)
        with self.open(digest) as source, path.open("xb") as target:
            while chunk := source.read(CHUNK):
                hasher.update(chunk)
                size += len(chunk)
                target.write(chunk)
        return StoredObject(hasher.hexdigest(), size)

    def digest_of(self, digest: str) -> str:
        """The SHA-256 of the bytes now stored under ``digest``."""
        with self.open(digest) as source:
            return hashlib.file_digest(cast(BufferedReader, source), "sha256").hexdigest()

    def path_of_key(self, key: str) -> Path:
        """Where a named object is (``predictions/<endpoint>/…``); each part is a plain name."""
        parts = key.split("/")
        if not all(KEY_PART.match(part) for part in parts):
            raise Invalid("An object key is plain names joined by '/'.", field="key")
        return self.root.joinpath("named", *parts)

    def put_named(self, key: str, path: Path) -> StoredObject:
        """Store the file at ``path`` under ``key``, replacing an earlier one at once."""
        place = self.path_of_key(key)
        place.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkstemp(dir=self._folder("staging"))[1])
        shutil.copyfile(path, staged)
        with staged.open("rb+") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
            os.fsync(written.fileno())
        size = staged.stat().st_size
        os.replace(staged, place)
        return StoredObject(digest, size)

    def open_named(self, key: str) -> BinaryIO:
        try:
            return self.path_of_key(key).open("rb")
        except FileNotFoundError as error:
            raise Unavailable(f"The store has no object named {key}.", code="object_missing") from error

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder


def store() -> FolderStore:
    """The installation's object store (ARTIFACT_ROOT)."""
    return FolderStore(Path(settings.ARTIFACT_ROOT))
