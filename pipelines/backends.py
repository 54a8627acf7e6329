"""The training script: a process of its own that talks to MLflow's public address.

The secret of its token is in the environment of that one process: never in arguments, requests,
logs or rows.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings

from core.errors import DomainError
from pipelines.sandbox import CODE, ONE_THREAD

WALL_SECONDS = 900
POLL_SECONDS = 0.5
LONGEST_LINE = 1 << 20
WITHHELD = "(withheld)"


class TrainingFailed(DomainError):
    """The script ended without a result; its last words are the reason."""

    code, title = "training_failed", "Training failed"


class TrainingScript:
    """Runs one module with a request on standard input and reads JSON lines until its result.

    ``said`` is called with every other line; ``noted`` with what the script reports under way
    (``progress``, ``run_id``); ``watch`` may raise to end it.
    """

    def __init__(
        self,
        module: str,
        *,
        secret: str,
        said: Callable[[str], None],
        noted: Callable[[dict[str, Any]], None],
        watch: Callable[[], None],
        wall_seconds: float = WALL_SECONDS,
    ) -> None:
        self.module, self.secret = module, secret
        self.said, self.noted, self.watch = said, noted, watch
        self.wall_seconds = wall_seconds
        self._last = ""

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """The script's ``result``; TrainingFailed when there is none."""
        with tempfile.TemporaryDirectory(prefix="training-") as home:
            process = subprocess.Popen(
                [sys.executable, "-s", "-B", "-m", self.module],
                cwd=home,
                env=self._environment(home),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                assert process.stdin is not None
                with suppress(BrokenPipeError):
                    process.stdin.write(json.dumps(request).encode())
                    process.stdin.close()
                result = self._listen(process)
                code = process.wait(timeout=60)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if result is None or code != 0:
            raise TrainingFailed(self._last or f"The training script ended with exit code {code}.")
        return result

    def _listen(self, process: subprocess.Popen[bytes]) -> dict[str, Any] | None:
        assert process.stdout is not None
        result, rest = None, b""
        deadline = time.monotonic() + self.wall_seconds
        while True:
            self.watch()
            if time.monotonic() > deadline:
                raise TrainingFailed(f"The training script was stopped after {self.wall_seconds:g} s.")
            if not select.select([process.stdout], [], [], POLL_SECONDS)[0]:
                continue
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                return self._line(rest) or result
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > LONGEST_LINE:
                rest = b""
            for line in lines:
                result = self._line(line) or result

    def _line(self, line: bytes) -> dict[str, Any] | None:
        """One line: a result, a note, or something to log."""
        text = line.decode(errors="replace").replace(self.secret, WITHHELD).strip()
        if not text:
            return None
        note = None
        if text.startswith('{"controlplane":'):
            with suppress(ValueError):
                note = json.loads(text)["controlplane"]
        if not isinstance(note, dict):
            self._last = text[:1000]
            self.said(text)
            return None
        if "failed" in note:
            self._last = str(note["failed"])[:1000]
        self.noted(note)
        found = note.get("result")
        return found if isinstance(found, dict) else None

    def _environment(self, home: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE") if name in os.environ}
        return {
            **kept,
            **ONE_THREAD,
            "HOME": home,
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(CODE),
            "MLFLOW_TRACKING_URI": settings.PUBLIC_URL,
            "MLFLOW_TRACKING_TOKEN": self.secret,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            # Its own page of a run is not served here.
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4",
            "GIT_PYTHON_REFRESH": "quiet",
            "PARENT_PROCESS": str(os.getpid()),
        }
