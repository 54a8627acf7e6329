"""Objects as files in a folder, written beside their place and renamed into it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from core.errors import TryLater
from core.object_store.interface import (
    CHUNK,
    HashedSource,
    ListedObject,
    LocalFiles,
    ObjectMissing,
    ObjectStore,
    Source,
    StoredObject,
    place_of,
    place_of_key,
)

READ_ONLY = 0o440
PROBE = b"x" * 4096


class FolderStore(ObjectStore):
    """A folder of this machine, or one that all machines mount."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put_stream(self, source: Source) -> StoredObject:
        with self._staged() as staged:
            stored = _written(source, staged)
            os.chmod(staged, READ_ONLY)
            self._rename(staged, self.path_for(stored.digest))
        return stored

    def put_file(self, path: Path) -> StoredObject:
        with path.open("rb") as source:
            return self.put_stream(source)

    def put_named(self, key: str, path: Path) -> StoredObject:
        place = self.path_of_key(key)
        with self._staged() as staged, path.open("rb") as source:
            stored = _written(source, staged)
            self._rename(staged, place)
        return stored

    def path_for(self, digest: str) -> Path:
        """Where the bytes of ``digest`` are; of a folder alone, so nothing above asks for it."""
        return self.root / place_of(digest)

    def path_of_key(self, key: str) -> Path:
        return self.root / place_of_key(key)

    def exists(self, digest: str) -> bool:
        return self.path_for(digest).is_file()

    def open(self, digest: str) -> BinaryIO:
        return _opened(self.path_for(digest), f"sha256:{digest}")

    def open_named(self, key: str) -> BinaryIO:
        return _opened(self.path_of_key(key), f"named {key}")

    def local_files(self) -> AbstractContextManager[LocalFiles]:
        return nullcontext(FilesInPlace(self))

    def download_url(self, digest: str, file_name: str) -> str | None:
        return None

    def objects(self) -> Iterator[ListedObject]:
        for path in (self.root / "objects").glob("??/??/*"):
            try:
                about = path.stat()
            except FileNotFoundError:
                continue
            yield ListedObject(path.name, about.st_size, _moment(about.st_mtime))

    def discard(self, digest: str, stored_before: datetime) -> bool:
        """Moved aside first: a file that was stored again meanwhile is seen there and put back."""
        place = self.path_for(digest)
        aside = self._folder("staging") / f"discarded-{digest}"
        try:
            os.rename(place, aside)
        except FileNotFoundError:
            return False
        if _moment(aside.stat().st_mtime) >= stored_before:
            os.rename(aside, place)
            return False
        aside.unlink()
        return True

    def clean_staging(self, before: datetime) -> int:
        old = [path for path in self._folder("staging").iterdir() if _moment(path.lstat().st_mtime) < before]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def probe(self) -> str:
        with self._staged() as staged, _disk_errors():
            staged.write_bytes(PROBE)  # a full disk still makes files, but fills none
        return f"folder, {self.free_bytes() / 2**30:,.1f} GiB free"

    def free_bytes(self) -> int:
        with _disk_errors():
            return shutil.disk_usage(self.root).free

    @contextmanager
    def _staged(self) -> Iterator[Path]:
        """A file beside the objects that is gone after the block unless it was renamed."""
        with _disk_errors():
            handle, name = tempfile.mkstemp(dir=self._folder("staging"))
            os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def _rename(self, staged: Path, place: Path) -> None:
        with _disk_errors():
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged, place)

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder


class FilesInPlace(LocalFiles):
    """The store's own files."""

    def __init__(self, store: FolderStore) -> None:
        self.store = store

    def of(self, digest: str) -> Path:
        return _present(self.store.path_for(digest), f"sha256:{digest}")

    def named(self, key: str) -> Path:
        return _present(self.store.path_of_key(key), f"named {key}")


def _written(source: Source, staged: Path) -> StoredObject:
    """Fill the staged file; unbuffered, so that only the disk's own errors are the store's."""
    measured = HashedSource(source)
    with staged.open("wb", buffering=0) as target:
        while chunk := measured.read(CHUNK):
            with _disk_errors():
                left = memoryview(chunk)
                while left:
                    left = left[target.write(left) :]
        with _disk_errors():
            os.fsync(target.fileno())
    return measured.stored()


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TryLater(f"The object store cannot be written: {error.strerror}.") from error


def _opened(path: Path, name: str) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise ObjectMissing(f"The store has no object {name}.") from error


def _present(path: Path, name: str) -> Path:
    if not path.is_file():
        raise ObjectMissing(f"The store has no object {name}.")
    return path


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
