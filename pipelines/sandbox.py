"""Running a program that is not trusted, or reads what is not: bubblewrap where it works.

The program is one of our own modules, which calls ``pipelines.confinement.confine()`` first. In
the sandbox there is no network, nothing writable but a small private ``/tmp`` and the folders
named writable, and none of the installation's data or keys.
"""

from __future__ import annotations

import json
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from core.errors import DomainError, Unavailable
from pipelines.confinement import VARIABLE, is_filterable

logger = logging.getLogger(__name__)

CODE = Path(__file__).resolve().parent.parent
PACKAGES = ("core", "measures", "pipelines", "registry")
SYSTEM_FOLDERS = ("/usr", "/bin", "/lib", "/lib64", "/sbin", "/etc/ld.so.cache", "/etc/localtime")
PRIVATE_FOLDER_BYTES = 64 << 20
LARGEST_ANSWER = 512 << 20
LOG_TAIL = 4000
POLL_SECONDS = 0.2
TICKS = os.sysconf("SC_CLK_TCK")
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "POLARS_MAX_THREADS",
        "LOKY_MAX_CPU_COUNT",
    ),
    "1",
)


@dataclass(frozen=True)
class Limits:
    """What one sandboxed process may use."""

    cpu_seconds: int = 120
    wall_seconds: float = 180
    memory_bytes: int = 3 << 30
    file_bytes: int = 1 << 30


@dataclass(frozen=True)
class Mount:
    """A file or folder the program sees at ``target``; without a sandbox it sees ``source``."""

    source: Path
    target: str
    is_writable: bool = False


class SandboxMissing(Unavailable):
    """SANDBOX=required, and this host cannot run bubblewrap."""

    code = "sandbox_missing"


class Stopped(DomainError):
    """The program was ended, or ended itself, before it had answered. ``code`` is limit or failed."""

    code, title = "failed", "Program failed"


@cache
def bubblewrap() -> str | None:
    """The path of a bubblewrap that works on this host."""
    path = shutil.which("bwrap")
    if path is None:
        return None
    probe = [*_walls(path), "--ro-bind", "/", "/", "--", "/bin/true"]
    try:
        works = subprocess.run(probe, capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return None
    return path if works else None


def _walls(path: str) -> list[str]:
    return [
        path,
        "--unshare-all",
        "--unshare-user",
        "--uid",
        "65534",
        "--gid",
        "65534",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
    ]


def level(*, required: bool) -> str:
    """Which fence programs get here: ``bubblewrap``, ``filter`` (system calls) or ``limits``."""
    if bubblewrap():
        return "bubblewrap"
    if required:
        raise SandboxMissing(
            "SANDBOX=required, but bubblewrap is missing or may not make namespaces on this host."
        )
    return "filter" if is_filterable() else "limits"


@dataclass
class Sandbox:
    """One running program; a context manager that leaves no process behind.

    ``watch`` is called a few times a second and may raise to end the program.
    """

    module: str
    mounts: Sequence[Mount]
    limits: Limits
    required: bool = False
    arguments: Sequence[str] = ()
    watch: Callable[[], None] = lambda: None
    level: str = field(init=False)
    cpu_seconds: float = field(init=False, default=0.0)
    peak_memory_bytes: int = field(init=False, default=0)

    def __enter__(self) -> Sandbox:
        self.level = level(required=self.required)
        self._errors_in, errors_out = os.pipe()
        os.set_blocking(self._errors_in, False)
        self._said, self._rest = b"", b""
        self._deadline = time.monotonic() + self.limits.wall_seconds
        self._process = subprocess.Popen(
            self._command(),
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors_out,
            start_new_session=True,
            cwd="/",
        )
        os.close(errors_out)
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()
        os.close(self._errors_in)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(OSError):
                pipe.close()

    def place(self, target: str) -> str:
        """The path at which the program finds what is mounted at ``target``."""
        if self.level == "bubblewrap":
            return target
        return str(next(each.source for each in self.mounts if each.target == target))

    def write(self, data: bytes, *, close: bool = False) -> None:
        """Send to the program's standard input; a program that has gone is noticed when reading."""
        pipe = self._process.stdin
        assert pipe is not None
        with suppress(BrokenPipeError):
            pipe.write(data)
            pipe.flush()
        if close:
            with suppress(BrokenPipeError):
                pipe.close()

    def read_line(self, longest: int = 32 << 20) -> bytes:
        """The next line of its answer, without the line's end."""
        while b"\n" not in self._rest:
            if len(self._rest) > longest:
                raise Stopped("The program answered more than it may.", code="limit")
            self._rest += self._more()
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def read_exactly(self, size: int) -> bytes:
        """The next ``size`` bytes of its answer."""
        if size > LARGEST_ANSWER:
            raise Stopped("The program answered more than it may.", code="limit")
        parts, missing = [self._rest], size - len(self._rest)
        while missing > 0:
            parts.append(self._more())
            missing -= len(parts[-1])
        whole = b"".join(parts)
        self._rest = whole[size:]
        return whole[:size]

    def said(self) -> str:
        """The end of what the program wrote to standard error."""
        self._drain()
        return self._said.decode(errors="replace").replace("\x00", "")

    def _more(self) -> bytes:
        """Bytes as they come; raises Stopped when the program ends or its time is over."""
        pipe = self._process.stdout
        assert pipe is not None
        while True:
            readable, _, _ = select.select([pipe, self._errors_in], [], [], POLL_SECONDS)
            if self._errors_in in readable:
                self._drain()
            if pipe in readable:
                data = os.read(pipe.fileno(), 1 << 16)
                if data:
                    return data
                self._end(grace_seconds=2)
                raise self._why()
            self._meter()
            self.watch()
            if time.monotonic() > self._deadline:
                raise Stopped(
                    f"It was stopped after its time limit of {self.limits.wall_seconds:g} s.", code="limit"
                )

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while data := os.read(self._errors_in, 1 << 16):
                self._said = (self._said + data)[-LOG_TAIL:]

    def _end(self, grace_seconds: float = 0) -> None:
        """Wait a moment, then kill it; the sandbox takes everything inside along."""
        if self._process.returncode is not None:
            return
        self._meter()
        until = time.monotonic() + grace_seconds
        while self._process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _meter(self) -> None:
        """What the whole tree has used so far, read from outside: a program could lie about itself."""
        cpu, memory, waiting = 0.0, 0, [self._process.pid]
        while waiting:
            pid = waiting.pop()
            with suppress(OSError, IndexError, ValueError):
                process = Path(f"/proc/{pid}")
                waiting += map(int, (process / f"task/{pid}/children").read_text().split())
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                cpu += (int(fields[11]) + int(fields[12])) / TICKS
                status = (process / "status").read_text()
                memory += int(status.partition("VmHWM:")[2].split()[0]) << 10
        self.cpu_seconds = max(self.cpu_seconds, cpu)
        self.peak_memory_bytes = max(self.peak_memory_bytes, memory)

    def _why(self) -> Stopped:
        """In words, why it ended without an answer."""
        code = self._process.returncode
        number = -code if code < 0 else code - 128 if code > 128 else 0
        said = self.said().strip()
        if number == signal.SIGXCPU:
            return Stopped(f"It used more than {self.limits.cpu_seconds} s of processor time.", code="limit")
        if "MemoryError" in said or "memory allocation" in said:
            return Stopped(
                f"It needed more than {self.limits.memory_bytes >> 20} MiB of memory.", code="limit"
            )
        if number:
            return Stopped(f"It was ended by {_signal_name(number)}.", code="limit")
        if said and "Traceback (most recent call last)" not in said:
            return Stopped(said.splitlines()[-1][:300])  # words it chose to end with
        logger.error("%s ended with exit code %s: %s", self.module, code, said)
        return Stopped(
            f"It ended with exit code {code} without a word; an administrator finds why in the worker's log."
        )

    def _command(self) -> list[str]:
        python = [sys.executable, "-s", "-B", "-m", self.module, *self.arguments]
        program = bubblewrap()
        if program is None:
            return python
        walls = [*_walls(program), "--proc", "/proc", "--dev", "/dev"]
        # First, so that an installation below the host's /tmp stays visible inside.
        walls += ["--size", str(PRIVATE_FOLDER_BYTES), "--tmpfs", "/tmp"]  # noqa: S108 - inside
        for folder in SYSTEM_FOLDERS:
            walls += ["--ro-bind-try", folder, folder]
        for prefix in dict.fromkeys((sys.base_prefix, sys.prefix)):
            if not prefix.startswith("/usr"):
                walls += ["--ro-bind", prefix, prefix]
        for package in PACKAGES:
            walls += ["--ro-bind", str(CODE / package), str(CODE / package)]
        for mount in self.mounts:
            walls += ["--bind" if mount.is_writable else "--ro-bind", str(mount.source), mount.target]
        return [*walls, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--", *python]

    def _environment(self) -> dict[str, str]:
        confined = {
            "cpu_seconds": self.limits.cpu_seconds,
            "memory_bytes": self.limits.memory_bytes,
            "file_bytes": self.limits.file_bytes,
            "parent": None if bubblewrap() else os.getpid(),
        }
        return {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": "/tmp",  # noqa: S108 - inside the sandbox this is its own empty folder
            "PYTHONPATH": str(CODE),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            VARIABLE: json.dumps(confined),
            **ONE_THREAD,
        }


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def ask(
    module: str,
    request: dict[str, Any],
    *,
    mounts: Sequence[Mount],
    limits: Limits,
    required: bool = False,
    watch: Callable[[], None] = lambda: None,
) -> tuple[dict[str, Any], Sandbox]:
    """Run a program that reads one JSON request and prints one JSON answer.

    Texts of the request that are a mount's target become the path at which it is found.
    """
    with Sandbox(module, mounts, limits, required=required, watch=watch) as program:
        targets = {each.target for each in mounts}
        program.write(json.dumps(_placed(request, targets, program.place)).encode(), close=True)
        answer = json.loads(program.read_line())
    return answer, program


def _placed(value: Any, targets: set[str], place: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {name: _placed(item, targets, place) for name, item in value.items()}
    if isinstance(value, list):
        return [_placed(item, targets, place) for item in value]
    return place(value) if isinstance(value, str) and value in targets else value
