"""Exports of the audit ledger, for those who may audit."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from controlplane_client.downloads import CHUNK
from controlplane_client.errors import ControlPlaneError
from controlplane_client.records import Export
from controlplane_client.resources import Resource, address, given

PAUSE = 0.5
OVER = {"ready", "failed"}


class Exports(Resource):
    def create(
        self, form: str, *, since: str | None = None, until: str | None = None, title: str | None = None
    ) -> Export:
        """``form`` is bundle or jsonl; times are RFC 3339."""
        body = given(format=form, title=title, **{"from": since, "to": until})
        return self._send(Export, address("audit", "exports"), body)

    def get(self, export: str) -> Export:
        return self._item(Export, address("audit", "exports", export))

    def wait(self, export: str, *, timeout: float = 1800) -> Export:
        deadline = time.monotonic() + timeout
        while True:
            seen = self.get(export)
            if seen.status in OVER or time.monotonic() >= deadline:
                return seen
            time.sleep(PAUSE)

    def download(
        self, export: Export, place: Path, *, on_received: Callable[[int], None] | None = None
    ) -> Path:
        """The file, put in place once its SHA-256 is the one that the export names."""
        digest, partial = hashlib.sha256(), place.with_name(f".{place.name}.part")
        try:
            path = address("audit", "exports", export.id, "file")
            with self._transport.stream(path) as response, partial.open("wb") as target:
                for chunk in response.iter_bytes(CHUNK):
                    target.write(chunk)
                    digest.update(chunk)
                    if on_received:
                        on_received(len(chunk))
            if export.digest and digest.hexdigest() != export.digest:
                detail = f"The export has SHA-256 {digest.hexdigest()}, not {export.digest}. It was not kept."
                raise ControlPlaneError({"code": "digest_mismatch", "detail": detail})
            os.replace(partial, place)
        finally:
            partial.unlink(missing_ok=True)
        return place
