"""MLflow's tracking server and its artifact storage, as the registry reads them.

Both are spoken to without MLflow's own library: its REST API for runs and logged models, and
the folder or bucket it keeps artifacts in.
"""

from __future__ import annotations

import heapq
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from django.conf import settings

from core.errors import Invalid, NotFound
from registry.manifest import MOST_FILES
from registry.sources import Source, checked_path
from registry.tracked import Entry, FileState

if TYPE_CHECKING:
    from registry.tracking import TrackingServer

SCHEME = "mlflow-artifacts:"
DEEPEST = 32
# What MLflow's app calls a file until the whole of it has come; one that was killed leaves it behind.
HALF_UPLOADED = ".artifact.uploading."


class ArtifactStorage(Protocol):
    """Where files to be registered are read from."""

    def files(self, path: str) -> Iterator[tuple[str, BinaryIO]]: ...


class BrowsedStorage(ArtifactStorage, Protocol):
    """Where MLflow's own app keeps artifacts, a folder or a bucket."""

    def listed(self, path: str, most: int) -> list[Entry]: ...

    def opened(self, path: str) -> BinaryIO: ...

    def states(self, path: str) -> Iterator[FileState]: ...


class ArtifactFolder:
    """The folder MLflow keeps artifacts in; follows no link and leaves it for nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def files(self, path: str) -> Iterator[tuple[str, BinaryIO]]:
        """Relative path and open content of each file below ``path``, in order of their paths."""
        folder = self._folder(path)
        try:
            for count, (name, handle) in enumerate(self._walk(folder, "", 0)):
                if count >= MOST_FILES:
                    raise Invalid(
                        f"The source holds more than {MOST_FILES} files.", field="source", allowed=MOST_FILES
                    )
                with os.fdopen(handle, "rb") as content:
                    yield name, content
        finally:
            os.close(folder)

    def states(self, path: str) -> Iterator[FileState]:
        """Every file below ``path``, by what the file system says of it."""
        for name, content in self.files(path):
            about = os.fstat(content.fileno())
            yield FileState(name, about.st_size, datetime.fromtimestamp(about.st_mtime, tz=UTC))

    def forget_half_uploads(self, before: datetime) -> Iterator[str]:
        """Remove what has not come whole by that moment; answers the folder of each."""
        for folder, _, names, handle in os.fwalk(self.root, follow_symlinks=False):
            for name in names:
                if name.startswith(HALF_UPLOADED) and _changed_before(name, handle, before):
                    with suppress(FileNotFoundError):
                        os.unlink(name, dir_fd=handle)
                    yield folder

    def listed(self, path: str, most: int) -> list[Entry]:
        """The first so many of a folder by name; links and devices are left out."""
        folder = self._folder(path)
        try:
            with os.scandir(folder) as found:
                whole = (each.name for each in found if not each.name.startswith(HALF_UPLOADED))
                names = heapq.nsmallest(most, whole)
            entries = [_entry(folder, name) for name in names]
        finally:
            os.close(folder)
        return [each for each in entries if each is not None]

    def opened(self, path: str) -> BinaryIO:
        """One plain file."""
        above, _, name = checked_path(path).rpartition("/")
        folder = self._folder(above)
        try:
            if (about := _entry(folder, name)) is None or about.size is None:
                raise NotFound(f"The artifact storage has no file {path}.", field="source")
            return os.fdopen(os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder), "rb")
        except OSError as error:
            raise NotFound(f"The artifact storage has no file {path}.", field="source") from error
        finally:
            os.close(folder)

    def _folder(self, path: str) -> int:
        """A handle of the folder, opened part by part so that no part can be a link."""
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for part in checked_path(path).split("/"):
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
                os.close(handle)
                handle = inner
        except OSError as error:
            os.close(handle)
            raise NotFound(f"The artifact storage has no folder {path}.", field="source") from error
        return handle

    def _walk(self, folder: int, prefix: str, depth: int) -> Iterator[tuple[str, int]]:
        if depth > DEEPEST:
            raise Invalid(f"The source is nested deeper than {DEEPEST} folders.", field="source")
        for name in sorted(os.listdir(folder)):
            if name.startswith(HALF_UPLOADED):
                continue
            about = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(about.st_mode):
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                try:
                    yield from self._walk(inner, f"{prefix}{name}/", depth + 1)
                finally:
                    os.close(inner)
            elif stat.S_ISREG(about.st_mode) and about.st_nlink == 1:
                yield f"{prefix}{name}", os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
            else:
                raise Invalid(
                    f"{prefix}{name} is a link or a device; only plain files are registered.", field="source"
                )


def _changed_before(name: str, folder: int, moment: datetime) -> bool:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime < moment.timestamp()
    except FileNotFoundError:  # it came whole this moment
        return False


def _entry(folder: int, name: str) -> Entry | None:
    """None for what is neither a folder nor a plain file, or is gone."""
    try:
        about = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    if stat.S_ISDIR(about.st_mode):
        return Entry(name, None)
    return Entry(name, about.st_size) if stat.S_ISREG(about.st_mode) and about.st_nlink == 1 else None


def owned_path(source: Source, artifact_uri: str, other: str) -> str:
    """The path of the source in the artifact storage, which must be inside its owner's."""
    home = storage_path(artifact_uri)
    if source.kind != "artifacts":
        return f"{home}/{source.path}".rstrip("/")
    if source.path != home and not source.path.startswith(home + "/"):
        raise Invalid(f"The source does not belong to {other}.", field="source", allowed=f"{artifact_uri}/…")
    return source.path


def storage_path(artifact_uri: str) -> str:
    """The path below the artifact root that an artifact address of ours means."""
    if not artifact_uri.startswith(SCHEME):
        raise Invalid(
            f"Artifacts at {artifact_uri[:200]!r} are not in this installation's storage; log the model with"
            " this installation as the tracking server, or upload its files.",
            field="source",
            allowed=f"a run or logged model whose artifacts are at {SCHEME}/…",
        )
    return checked_path(artifact_uri.removeprefix(SCHEME).lstrip("/"))


def tracking_server() -> TrackingServer:
    """The installation's tracking server; its client is loaded with the first question."""
    made: TrackingServer = import_module("registry.tracking").tracking_server()
    return made


def artifact_storage() -> BrowsedStorage:
    """Where the tracking server keeps artifacts."""
    root = settings.TRACKING_ARTIFACTS
    if root.startswith("s3://"):
        made: BrowsedStorage = import_module("registry.artifact_bucket").bucket_at(root)
        return made
    return ArtifactFolder(Path(root))
