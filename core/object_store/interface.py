"""What every place for bytes can do, and the words it answers with."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from core.errors import Invalid, Unavailable

CHUNK = 1 << 20
DIGEST = re.compile(r"^[0-9a-f]{64}\Z")
KEY_PART = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._=@+-]{0,199}\Z")

Source = BinaryIO | Iterable[bytes]


class ObjectMissing(Unavailable):
    """The store answers, and says that it has no such object."""

    code = "object_missing"


@dataclass(frozen=True)
class StoredObject:
    """``digest`` is the lower-case SHA-256, ``size`` in bytes."""

    digest: str
    size: int


@dataclass(frozen=True)
class ListedObject:
    """An object that is in the store, and since when."""

    digest: str
    size: int
    stored_at: datetime


class LocalFiles(ABC):
    """Objects as files of this machine, to be read while the block runs and never changed."""

    @abstractmethod
    def of(self, digest: str) -> Path: ...

    @abstractmethod
    def named(self, key: str) -> Path: ...


class ObjectStore(ABC):
    """Objects named by their content, and a few named by a key."""

    @abstractmethod
    def put_stream(self, source: Source) -> StoredObject:
        """Store what ``source`` yields; constant memory; the same content twice is one object."""

    @abstractmethod
    def put_file(self, path: Path) -> StoredObject:
        """Store a copy of the file at ``path``."""

    @abstractmethod
    def exists(self, digest: str) -> bool: ...

    @abstractmethod
    def open(self, digest: str) -> BinaryIO:
        """The content, seekable; ObjectMissing if there is none."""

    @abstractmethod
    def put_named(self, key: str, path: Path) -> StoredObject:
        """Store the file at ``path`` under ``key``, replacing an earlier one at once."""

    @abstractmethod
    def open_named(self, key: str) -> BinaryIO: ...

    @abstractmethod
    def local_files(self) -> AbstractContextManager[LocalFiles]:
        """For libraries that read files: in place where that is possible, else private copies."""

    @abstractmethod
    def download_url(self, digest: str, file_name: str) -> str | None:
        """Where a client may fetch the object for a moment without us; None where it may not."""

    @abstractmethod
    def objects(self) -> Iterator[ListedObject]:
        """Every object named by its content."""

    @abstractmethod
    def discard(self, digest: str, stored_before: datetime) -> bool:
        """Delete an object unless somebody has stored it again since; whether it was deleted."""

    @abstractmethod
    def clean_staging(self, before: datetime) -> int:
        """Remove what interrupted uploads left behind before that moment; answers how much."""

    @abstractmethod
    def probe(self) -> str:
        """What the store is and how it is, in words; TryLater when it does not answer."""

    def free_bytes(self) -> int | None:
        """What still fits, where that is known."""
        return None

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


class HashedSource:
    """A source read in pieces of any size, hashed and counted on the way."""

    def __init__(self, source: Source) -> None:
        self._chunks = _chunks(source)
        self._rest = b""
        self._hasher = hashlib.sha256()
        self.size = 0

    def read(self, wanted: int = -1) -> bytes:
        """Exactly ``wanted`` bytes, fewer only at the end."""
        parts, have = [self._rest], len(self._rest)
        while wanted < 0 or have < wanted:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._hasher.update(chunk)
            self.size += len(chunk)
            parts.append(chunk)
            have += len(chunk)
        content = b"".join(parts)
        end = have if wanted < 0 else wanted
        self._rest = content[end:]
        return content[:end]

    def unread(self, content: bytes) -> None:
        """Give back what was read too early; it is not hashed again."""
        self._rest = content + self._rest

    def stored(self) -> StoredObject:
        return StoredObject(self._hasher.hexdigest(), self.size)


def place_of(digest: str) -> str:
    """Where an object is below the root; Invalid unless it is named by 64 hexadecimal digits."""
    if not DIGEST.match(digest):
        raise Invalid("A digest is 64 lower-case hexadecimal digits.", field="digest")
    return f"objects/{digest[:2]}/{digest[2:4]}/{digest}"


def place_of_key(key: str) -> str:
    """Where a named object is (``predictions/<endpoint>/…``); each part is a plain name."""
    if not all(KEY_PART.match(part) for part in key.split("/")):
        raise Invalid("An object key is plain names joined by '/'.", field="key")
    return f"named/{key}"


def hashed(path: Path) -> StoredObject:
    """What a local file would be called in the store."""
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
        return StoredObject(digest, source.tell())


def _chunks(source: Source) -> Iterator[bytes]:
    """Empty chunks of an iterable are skipped: they do not mean its end."""
    if hasattr(source, "read"):
        return iter(lambda: cast(BinaryIO, source).read(CHUNK), b"")
    return (chunk for chunk in source if chunk)
