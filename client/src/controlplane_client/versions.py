"""Model versions: register, look, verify, download."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from controlplane_client.downloads import Received, fetch, matches
from controlplane_client.jobs import Jobs, Progress
from controlplane_client.records import File, Job, ModelVersion
from controlplane_client.resources import Resource, address, given
from controlplane_client.uploads import Sent, upload_folder


class Versions(Resource):
    def list(
        self, model: str, *, status: str | None = None, run_id: str | None = None, sort: str | None = None
    ) -> Iterator[ModelVersion]:
        path = address("models", model, "versions")
        return self._items(ModelVersion, path, status=status, run_id=run_id, sort=sort)

    def get(self, model: str, version: int) -> ModelVersion:
        return self._item(ModelVersion, address("models", model, "versions", version))

    def register(
        self,
        model: str,
        source: str,
        *,
        run_id: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> ModelVersion:
        """From a source the server reads: ``runs:/<run id>/<path>``, ``models:/<model>/<version>``…"""
        body = given(source=source, run_id=run_id, description=description, tags=tags)
        return self._send(ModelVersion, address("models", model, "versions"), body)

    def register_folder(
        self,
        model: str,
        folder: Path | str,
        *,
        experiment: str | None = None,
        on_sent: Sent | None = None,
        **more: Any,
    ) -> ModelVersion:
        """Upload a local MLflow model folder and register it; after a cut, call it again to go on."""
        uploaded = upload_folder(
            self._transport, Path(folder), model=model, experiment=experiment, on_sent=on_sent
        )
        return self.register(model, uploaded.source, run_id=uploaded.run_id, **more)

    def wait(
        self, version: ModelVersion, *, timeout: float = 600, on_progress: Progress | None = None
    ) -> ModelVersion:
        """The version once its files are hashed, READY or failed."""
        if version.job:
            Jobs(self._transport).wait(version.job, timeout=timeout, on_progress=on_progress)
        return self.get(version.model, version.version)

    def update(self, model: str, version: int, *, description: str, etag: str | None = None) -> ModelVersion:
        path = address("models", model, "versions", version)
        return self._change(ModelVersion, path, {"description": description}, etag)

    def compare(self, model: str, a: int, b: int) -> dict[str, Any]:
        """Everything that differs, b against a, as the installation's own page shows it."""
        found: dict[str, Any] = self._transport.json(
            "GET", address("models", model, "compare"), params={"a": a, "b": b}
        )
        return found

    def verify(
        self, model: str, version: int, *, timeout: float = 600, on_progress: Progress | None = None
    ) -> Job:
        """Have a worker hash every file again; the job fails when one differs."""
        asked = self._transport.json("POST", address("models", model, "versions", version, "verify"))
        return Jobs(self._transport).wait(asked["job"], timeout=timeout, on_progress=on_progress)

    def files(self, model: str, version: int) -> Sequence[File]:
        return tuple(self._items(File, address("models", model, "versions", version, "files")))

    def manifest(self, model: str, version: int) -> dict[str, Any]:
        """The list of files whose canonical JSON the digest is the SHA-256 of."""
        path = address("models", model, "versions", version, "manifest")
        manifest: dict[str, Any] = self._transport.json("GET", path)
        return manifest

    def lineage(self, model: str, version: int) -> dict[str, Any]:
        path = address("models", model, "versions", version, "lineage")
        lineage: dict[str, Any] = self._transport.json("GET", path)
        return lineage

    def download(
        self, model: str, version: int, folder: Path | str, *, on_received: Received | None = None
    ) -> Sequence[Path]:
        """Every file below ``folder``, each checked against its SHA-256; those already there are kept."""
        target, kept = Path(folder), []
        for file in self.files(model, version):
            place = target.joinpath(*file.path.split("/"))
            if not matches(place, file):
                base = address("models", model, "versions", version, "files")
                fetch(self._transport, base, file, target, on_received)
            elif on_received:
                on_received(file.size)
            kept.append(place)
        return kept
