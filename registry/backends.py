"""MLflow's tracking server and its artifact storage, as the registry reads them.

Both are spoken to without MLflow's own library: its REST API for runs and logged models, and
the folder or bucket it keeps artifacts in.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import httpx
from django.conf import settings

from core.errors import Invalid, NotFound, Unavailable
from registry.manifest import MOST_FILES
from registry.sources import Source, checked_path

SCHEME = "mlflow-artifacts:"
TIMEOUT = httpx.Timeout(30, connect=5)
# Shorter than any server waits: none closes a connection just as we ask over it.
KEPT_ALIVE = httpx.Limits(keepalive_expiry=2)
MOST_OWNED = 10_000
# Set by edge on everything that is logged: the id of the person who logged it.
OWNER = "controlplane.owner"
DEEPEST = 32


@dataclass(frozen=True)
class Owned:
    """A run or logged model, by the column of versions that names it, and the person who logged it."""

    column: str
    id: str
    owner: str


@dataclass(frozen=True)
class DatasetInput:
    """A data set a run says it used; ``context`` is training, holdout or reference."""

    name: str
    digest: str
    context: str
    source: str = ""


@dataclass(frozen=True)
class Run:
    """What the tracking server knows of a run."""

    id: str
    name: str = ""
    experiment_id: str = ""
    status: str = ""
    user: str = ""
    started_at_ms: int = 0
    ended_at_ms: int = 0
    artifact_uri: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float | str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    inputs: tuple[DatasetInput, ...] = ()
    is_deleted: bool = False

    @property
    def owned(self) -> Owned:
        return Owned("run_id", self.id, self.tags.get(OWNER, ""))


@dataclass(frozen=True)
class LoggedModel:
    """What the tracking server knows of a logged model."""

    id: str
    run_id: str = ""
    artifact_uri: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float | str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def owned(self) -> Owned:
        return Owned("logged_model_id", self.id, self.tags.get(OWNER, ""))


class TrackingServer:
    """MLflow's own app behind its shared secret."""

    def __init__(
        self, url: str, headers: dict[str, str] | None = None, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.client = httpx.Client(
            base_url=url, headers=headers, timeout=TIMEOUT, transport=transport, limits=KEPT_ALIVE
        )
        self.owned: dict[tuple[str, str], Owned] = {}

    def run(self, run_id: str) -> Run:
        body = self._get("/api/2.0/mlflow/runs/get", {"run_id": run_id}, f"There is no run {run_id}.")["run"]
        info, data = body["info"], body.get("data", {})
        return Run(
            id=info["run_id"],
            name=info.get("run_name", ""),
            experiment_id=str(info.get("experiment_id", "")),
            status=info.get("status", ""),
            user=info.get("user_id", ""),
            started_at_ms=int(info.get("start_time") or 0),
            ended_at_ms=int(info.get("end_time") or 0),
            artifact_uri=info.get("artifact_uri", ""),
            parameters=_pairs(data.get("params")),
            metrics=_metrics(data.get("metrics")),
            tags=_pairs(data.get("tags")),
            inputs=tuple(_input(each) for each in body.get("inputs", {}).get("dataset_inputs", [])),
            is_deleted=info.get("lifecycle_stage") == "deleted",
        )

    def logged_model(self, model_id: str) -> LoggedModel:
        missing = f"There is no logged model {model_id}."
        body = self._get(f"/api/2.0/mlflow/logged-models/{model_id}", {}, missing)["model"]
        info, data = body["info"], body.get("data", {})
        return LoggedModel(
            id=info["model_id"],
            run_id=info.get("source_run_id", ""),
            artifact_uri=info.get("artifact_uri", ""),
            parameters=_pairs(data.get("params")),
            metrics=_metrics(data.get("metrics")),
            tags=_pairs(info.get("tags")),
        )

    def owner_of_run(self, run_id: str) -> Owned:
        """Whose run it is: asked once, since edge lets nobody change it."""
        return self._owned(("run", run_id), self.run)

    def owner_of_logged_model(self, model_id: str) -> Owned:
        """Whose logged model it is; asked once."""
        return self._owned(("logged_model", model_id), self.logged_model)

    def _owned(self, key: tuple[str, str], read: Callable[[str], Run | LoggedModel]) -> Owned:
        known = self.owned.get(key)
        if known is None:
            known = read(key[1]).owned
            if len(self.owned) >= MOST_OWNED:
                self.owned.clear()
            self.owned[key] = known
        return known

    def _get(self, path: str, query: dict[str, str], missing: str) -> Any:
        try:
            answer = self.client.get(path, params=query)
        except httpx.HTTPError as error:
            raise Unavailable(f"The tracking server does not answer: {type(error).__name__}.") from error
        if answer.status_code == 404:
            raise NotFound(missing, field="source")  # as ``ownership`` says of what is somebody else's
        if answer.status_code >= 400:
            raise Unavailable(f"The tracking server answered {answer.status_code} for {path}.")
        return answer.json()


class ArtifactStorage(Protocol):
    """Where MLflow's own app keeps artifacts, a folder or a bucket."""

    def files(self, path: str) -> Iterator[tuple[str, BinaryIO]]: ...


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
            f"Artifacts at {artifact_uri[:200]!r} are not in this installation's storage.", field="source"
        )
    return checked_path(artifact_uri.removeprefix(SCHEME).lstrip("/"))


def tracking_server() -> TrackingServer:
    """The installation's tracking server."""
    return _server_at(settings.TRACKING_SOCKET, settings.TRACKING_URL, settings.TRACKING_SECRET)


@cache
def _server_at(socket: str, url: str, secret: str) -> TrackingServer:
    """One client per process: making one reads every certificate of the machine, 20 ms of CPU."""
    headers = {settings.TRACKING_SECRET_HEADER: secret}
    if not socket:
        return TrackingServer(url, headers)
    by_socket = httpx.HTTPTransport(uds=socket, verify=False, limits=KEPT_ALIVE)
    return TrackingServer("http://tracking", headers, transport=by_socket)


def artifact_storage() -> ArtifactStorage:
    """Where the tracking server keeps artifacts."""
    root = settings.TRACKING_ARTIFACTS
    if root.startswith("s3://"):
        made: ArtifactStorage = import_module("registry.artifact_bucket").bucket_at(root)
        return made
    return ArtifactFolder(Path(root))


def _pairs(entries: list[dict[str, Any]] | None) -> dict[str, str]:
    return {_clean(each["key"]): _clean(each.get("value", "")) for each in entries or []}


def _metrics(entries: list[dict[str, Any]] | None) -> dict[str, float | str]:
    """The newest value of each metric; NaN and the infinities as the words JSON lacks."""
    values: dict[str, float | str] = {}
    for each in entries or []:
        number = float(each.get("value", "nan"))
        values[_clean(each["key"])] = number if math.isfinite(number) else str(number)
    return values


def _input(entry: dict[str, Any]) -> DatasetInput:
    tags = _pairs(entry.get("tags"))
    dataset = entry.get("dataset", {})
    return DatasetInput(
        name=_clean(dataset.get("name", "")),
        digest=_clean(dataset.get("digest", "")),
        context=tags.get("mlflow.data.context", ""),
        source=_clean(dataset.get("source", ""))[:2000],
    )


def _clean(text: Any) -> str:
    """MLflow keeps characters that jsonb cannot."""
    return "".join(each for each in str(text) if each != "\x00" and not 0xD800 <= ord(each) <= 0xDFFF)
