"""Files behind an MLflow server's artifact proxy, read as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from urllib.parse import quote

import httpx

from core.errors import Conflict, Invalid
from core.object_store import CHUNK
from registry.backends import DEEPEST
from registry.imports.server import MlflowServer
from registry.manifest import MOST_FILES
from registry.sources import checked_path

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


@dataclass(frozen=True)
class ListedFile:
    path: str
    size: int


class ProxiedArtifacts:
    """The artifact storage that the server itself serves (``mlflow-artifacts:``)."""

    def __init__(self, server: MlflowServer) -> None:
        self.server = server

    def files(self, path: str) -> Iterator[tuple[str, BinaryIO]]:
        """Relative path and content of each file below ``path``, one open at a time."""
        for each in self.listed(path):
            whole = f"{path}/{each.path}"
            with self.server.reached(), self.server.client.stream("GET", _address(whole)) as answer:
                self.server.refuse(answer, f"The server's artifact storage has no file {whole}.")
                yield each.path, cast(BinaryIO, Body(answer, self.server, each))

    def listed(self, path: str) -> list[ListedFile]:
        """Every file below a folder, in order of their paths."""
        found: list[ListedFile] = []
        for each in self._walk(path, "", 0):
            if len(found) == MOST_FILES:
                raise Invalid(f"The source holds more than {MOST_FILES} files.", allowed=MOST_FILES)
            found.append(each)
        return sorted(found, key=lambda each: each.path)

    def _walk(self, path: str, prefix: str, depth: int) -> Iterator[ListedFile]:
        if depth > DEEPEST:
            raise Invalid(f"The source is nested deeper than {DEEPEST} folders.")
        missing = f"The server serves no artifacts at {path}."
        body = self.server.ask(ARTIFACTS, {"path": f"{path}/{prefix}".rstrip("/")}, missing)
        with self.server.understood():
            entries = [_entry(each) for each in body.get("files") or []]
        for name, size, is_folder in entries:
            if not checked_path(name):
                raise Invalid("The server lists a file without a name.")
            if is_folder:
                yield from self._walk(path, f"{prefix}{name}/", depth + 1)
            else:
                yield ListedFile(f"{prefix}{name}", size)


class Body:
    """The bytes of one file, which must be as many as the server listed."""

    def __init__(self, answer: httpx.Response, server: MlflowServer, listed: ListedFile) -> None:
        self.chunks, self.server, self.listed = answer.iter_bytes(CHUNK), server, listed
        self.read_so_far = 0

    def read(self, size: int = -1) -> bytes:
        """The next piece, of whatever length it has."""
        with self.server.reached():
            chunk = next(self.chunks, b"")
        self.read_so_far += len(chunk)
        if not chunk and self.read_so_far != self.listed.size:
            raise Conflict(
                f"{self.listed.path} is {self.read_so_far} bytes long, yet listed with {self.listed.size};"
                " it changed while it was read, or a proxy changed it."
            )
        return chunk


def _entry(sent: dict[str, Any]) -> tuple[str, int, bool]:
    """Name, size and whether it is a folder; some servers name a file by its whole path."""
    name = str(sent["path"]).rsplit("/", 1)[-1]
    return name, int(sent.get("file_size") or 0), bool(sent.get("is_dir"))


def _address(path: str) -> str:
    return f"{ARTIFACTS}/{quote(checked_path(path))}"
