"""Starting, watching and metering one scorer process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deployments.serving.exit_codes import REASONS
from deployments.serving.sandbox import ScorerCommand

TICKS = os.sysconf("SC_CLK_TCK")
LOG_TAIL = 4000


@dataclass(frozen=True)
class Usage:
    """What a process tree has used since it started."""

    cpu_seconds: float
    memory_bytes: int


@dataclass
class ScorerProcess:
    """A running scorer and its log; ``socket_fd`` is the listener it inherits."""

    command: ScorerCommand
    socket_fd: int
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)
    started: float = field(init=False)

    def start(self) -> None:
        """Start it from the agent's main thread: the parent-death signal follows the thread that forked."""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command.arguments,
                env=self.command.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(self.socket_fd,),
            )
        self.started = time.monotonic()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.process.poll()

    @property
    def failure_code(self) -> str:
        """Why it ended by itself: digest_mismatch, cannot_load or died."""
        return REASONS.get(self.exit_code or 0, "died")

    def tail(self) -> str:
        """The end of what it printed."""
        try:
            return self.log.read_bytes()[-LOG_TAIL:].decode(errors="replace").replace("\x00", "")
        except OSError:
            return ""

    def usage(self) -> Usage:
        """CPU and resident memory of the whole tree, read outside of the sandbox."""
        cpu, memory = 0.0, 0
        for pid in descendants(self.pid):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                memory += _proportional_bytes(pid)
            except (OSError, IndexError):
                continue
            cpu += (int(fields[11]) + int(fields[12])) / TICKS
        return Usage(cpu, memory)

    def stop(self, grace_seconds: float = 3.0) -> None:
        """Ask, wait, kill the whole group."""
        for pid in [each for each in descendants(self.pid) if each != self.pid] or [self.pid]:
            _signal(pid, signal.SIGTERM)
        try:
            self.process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once; the sandbox takes its children with it."""
        _signal(self.pid, signal.SIGKILL)
        self.process.wait(10)


def listen(path: Path) -> socket.socket:
    """A unix socket that outlives the scorers which answer on it one after another."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    os.chmod(path, 0o600)
    listener.listen(512)
    return listener


def descendants(pid: int) -> list[int]:
    """The process and everything below it."""
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        try:
            waiting += map(int, Path(f"/proc/{current}/task/{current}/children").read_text().split())
        except OSError:
            continue
    return found


def _proportional_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    return 0


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
