"""Whole stacks, started as a person would start them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from controlplane.stack.places import free_port, processes_of

ROOT = Path(__file__).resolve().parents[2]
# An ordinary user who may read this checkout wherever it lies: root in disguise has no rights of root.
ORDINARY = ["unshare", "-U", "--map-user=65534", "--map-group=65534"]
GONE_SECONDS = 60


def manage_words(*words: str | Path) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *map(str, words)]


def clean_environment() -> dict[str, str]:
    """Without what the test run's own servers put there."""
    ours = (
        "DATABASE_",
        "REDIS_URL",
        "DATA_DIR",
        "SECRET_KEY",
        "STATIC_FROM_SOURCE",
        "TEST_SUPERUSER",
        "DJANGO_",
    )
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


@dataclass
class Started:
    """A stack of its own data folder and ports."""

    data_dir: Path
    as_whom: list[str] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    gateway_port: int = field(default_factory=free_port)

    def manage(self, *words: str, timeout: float = 280, **more: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.as_whom, *manage_words(*words, "--data-dir", self.data_dir)],
            env=clean_environment(), capture_output=True, text=True, timeout=timeout, cwd="/", check=False, **more,
        )  # fmt: skip

    def up(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.manage("up", "--port", str(self.port), "--gateway-port", str(self.gateway_port), *words)

    def begun(self) -> subprocess.Popen[str]:
        """In the foreground, as with ``make up``; answers at once."""
        words = manage_words("up", "--port", str(self.port), "--gateway-port", str(self.gateway_port))
        return subprocess.Popen(
            [*self.as_whom, *words, "--data-dir", str(self.data_dir)],
            env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/",
        )  # fmt: skip

    def watched(self, process: subprocess.Popen[str] | None = None) -> subprocess.Popen[str]:
        """In the foreground; answers when it is ready."""
        process = process or self.begun()
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Running until"):
                return process
        raise AssertionError("".join(said))

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.manage("status", "--json").stdout))

    def pid_of(self, name: str) -> int:
        return int(next(each["pid"] for each in self.status()["processes"] if each["name"] == name))

    def left(self) -> set[int]:
        return processes_of(self.data_dir)

    def wait_until_gone(self) -> set[int]:
        deadline = time.monotonic() + GONE_SECONDS
        while self.left() and time.monotonic() < deadline:
            time.sleep(0.2)
        return self.left()

    def end(self) -> None:
        self.manage("down")
        for pid in self.left():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def private_folder() -> Iterator[Path]:
    """Nobody else may even look inside."""
    folder = Path(tempfile.mkdtemp(prefix="cpstack-"))
    folder.chmod(0o700)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def stack(private_folder: Path) -> Iterator[Started]:
    """One running stack for the tests of a module."""
    started = Started(private_folder / "first")
    done = started.up("--detach")
    assert done.returncode == 0, done.stderr + done.stdout
    yield started
    started.end()
