"""One scorer as its agent holds it: private files, listener, process."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection

from deployments.folders import scorer_folder, socket_path
from deployments.models import Deployment
from deployments.services import Metered
from deployments.serving.processes import ScorerProcess, Usage, listen
from deployments.serving.sandbox import scorer_command
from registry.integrity import materialise

LONGEST_BACK_OFF_SECONDS = 30.0


class UnixConnection(http.client.HTTPConnection):
    """HTTP to a unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("scorer", timeout=timeout)
        self.path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


@dataclass
class Supervised:
    """A scorer process that is restarted behind the same listening socket."""

    deployment_id: uuid.UUID
    listener: socket.socket
    process: ScorerProcess
    is_ready: bool = False
    starts: int = 0
    started_at: float = 0.0
    _used: Usage = field(default_factory=lambda: Usage(0.0, 0))
    _metered_at: float = field(default_factory=time.monotonic)

    @classmethod
    def prepared(cls, row: Deployment, is_sandbox_required: bool) -> Supervised:
        """With its files in place and a listener, ready to be started."""
        folder = scorer_folder(row.pk)
        listener = listen(socket_path(row.pk))
        command = scorer_command(
            model=folder / "model",
            manifest=folder / "manifest.json",
            digest=row.digest,
            deployment=str(row.pk),
            socket_fd=listener.fileno(),
            parent=os.getpid(),
            required=is_sandbox_required,
        )
        return cls(row.pk, listener, ScorerProcess(command, listener.fileno(), folder / "scorer.log"))

    def start(self) -> None:
        self.process.start()
        self.is_ready = False
        self.starts += 1
        self.started_at = time.monotonic()
        self._used = Usage(0.0, 0)

    def may_restart(self) -> bool:
        """Whether its back-off is over: none after a long life, doubling after early deaths."""
        back_off = min(LONGEST_BACK_OFF_SECONDS, 0.25 * 2 ** min(self.starts, 10))
        return time.monotonic() - self.started_at > back_off

    def ask(self) -> dict[str, Any] | None:
        """What the scorer says on /ping once it is ready; None before."""
        status, body = self.request("GET", "/ping", timeout=0.5)
        return json.loads(body) if status == 200 else None

    def request(self, method: str, target: str, body: bytes = b"", *, timeout: float) -> tuple[int, bytes]:
        """Status and body; 503 when there is no answer."""
        connection = UnixConnection(socket_path(self.deployment_id), timeout)
        try:
            connection.request(method, target, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 503, b""
        finally:
            connection.close()

    def metered(self, pk: uuid.UUID) -> Metered:
        """CPU since the last call, and memory now."""
        now, used = time.monotonic(), self.process.usage()
        cpu = max(0.0, used.cpu_seconds - self._used.cpu_seconds)
        seconds, self._metered_at, self._used = now - self._metered_at, now, used
        return Metered(Deployment(pk=pk), cpu, used.memory_bytes, seconds)

    def close(self) -> None:
        """End the process and its address."""
        if self.process.exit_code is None:
            self.process.stop()
        self.listener.close()
        socket_path(self.deployment_id).unlink(missing_ok=True)


def materialised(row: Deployment) -> None:
    """A fresh, private, read-only copy of the version's files, each proven against the manifest."""
    try:
        folder = scorer_folder(row.pk)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        materialise(row.version, folder / "model")
        for path in (folder / "model").rglob("*"):
            path.chmod(0o500 if path.is_dir() else 0o400)
        (folder / "manifest.json").write_text(json.dumps(row.version.manifest))
    finally:
        connection.close()  # this thread's own
