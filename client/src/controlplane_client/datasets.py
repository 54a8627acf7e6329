"""Data sets, their versions, contracts and checks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from controlplane_client.errors import ControlPlaneError
from controlplane_client.jobs import Jobs, Progress
from controlplane_client.records import Check, Contract, Dataset, DatasetVersion, Reading, Source
from controlplane_client.resources import Resource, address, given


class Datasets(Resource):
    def list(self) -> Iterator[Dataset]:
        return self._items(Dataset, address("datasets"))

    def get(self, name: str) -> Dataset:
        return self._item(Dataset, address("datasets", name))

    def create(self, name: str, **fields: Any) -> Dataset:
        """``fields``: description, event_time_column, time_zone, key_columns, label_column."""
        return self._send(Dataset, address("datasets"), given(name=name, **fields))

    def ensure(self, name: str, **fields: Any) -> Dataset:
        """The data set of this name, made with these fields if there is none."""
        try:
            return self.get(name)
        except ControlPlaneError as error:
            if error.status != 404:
                raise
        return self.create(name, **fields)

    def versions(
        self, name: str, *, status: str | None = None, label: str | None = None
    ) -> Iterator[DatasetVersion]:
        return self._items(DatasetVersion, address("datasets", name, "versions"), status=status, label=label)

    def version(self, name: str, number: int) -> DatasetVersion:
        return self._item(DatasetVersion, address("datasets", name, "versions", number))

    def register(
        self, name: str, file: Path | str, *, label: str = "", description: str = ""
    ) -> DatasetVersion:
        """Upload a table (Parquet, CSV); the same bytes again are the version they already are."""
        path = Path(file)
        if path.exists() and not path.is_file():  # a pipe has no size and may never end
            detail = f"{path} is no plain file."
            raise ControlPlaneError({"status": 400, "code": "unfit_file", "detail": detail})
        with path.open("rb") as source:
            return self._read(
                DatasetVersion,
                "POST",
                address("datasets", name, "versions"),
                files={"file": (path.name, source)},
                data=given(label=label or None, description=description or None),
            )

    def sources(self) -> Iterator[Source]:
        """Databases and S3 prefixes that were granted to you."""
        return self._items(Source, address("data-sources"))

    def read(self, name: str, source: str, *, query: str = "", prefix: str = "", label: str = "") -> Reading:
        """Have a worker read a database's query, or all beneath a prefix of a bucket, as a version."""
        asked = given(query=query or None, prefix=prefix or None, label=label or None)
        return self._send(Reading, address("datasets", name, "queries"), {"source": source, **asked})

    def wait_for(
        self, reading: Reading, *, timeout: float = 900, on_progress: Progress | None = None
    ) -> Reading:
        """The reading once it has a version, or has failed and says why."""
        if reading.job:
            Jobs(self._transport).wait(reading.job, timeout=timeout, on_progress=on_progress)
        readings = self._items(Reading, address("datasets", reading.dataset, "queries"))
        return next((each for each in readings if each.id == reading.id), reading)

    def wait(
        self, version: DatasetVersion, *, timeout: float = 600, on_progress: Progress | None = None
    ) -> DatasetVersion:
        """The version once it is read, with the check of its contract if it has one."""
        if version.job:
            Jobs(self._transport).wait(version.job, timeout=timeout, on_progress=on_progress)
        return self.version(version.dataset, version.version)

    def contract(self, name: str) -> Contract:
        return self._item(Contract, address("datasets", name, "contract"))

    def set_contract(self, name: str, document: Any, *, reason: str = "") -> Contract:
        """A new revision; ``document`` is an object or YAML text."""
        path, headers = address("datasets", name, "contract"), {}
        try:
            headers = {"If-Match": self.contract(name).etag or "*"}
        except ControlPlaneError as error:
            if error.status != 404:
                raise
        return self._read(
            Contract, "PUT", path, json={"document": document, "reason": reason}, headers=headers
        )

    def checks(self, name: str) -> Iterator[Check]:
        """What was found, newest first."""
        return self._items(Check, address("datasets", name, "checks"))

    def check(
        self, name: str, version: int, *, timeout: float = 600, on_progress: Progress | None = None
    ) -> Check | None:
        """Have the version checked against the contract of now; None when nothing came of it."""
        path = address("datasets", name, "checks")
        asked = self._transport.json("POST", path, json={"version": version})
        if asked.get("job"):
            Jobs(self._transport).wait(asked["job"], timeout=timeout, on_progress=on_progress)
        return self.version(name, version).check
