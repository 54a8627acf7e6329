"""Supervision by `supervisor`: restarts children; talked to over a unix socket."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
import xmlrpc.client
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from controlplane.stack.processes import ROOT, Program
from controlplane.stack.refusals import CannotStart

LOG_BYTES = 20 << 20
LOG_FILES = 3
START_SECONDS = 20
FIRST = {"postgres", "valkey"}  # started before the others, stopped after them


def write_configuration(
    path: Path, programs: list[Program], sockets: Path, logs: Path, pid_file: Path
) -> None:
    """supervisord.conf; every program starts when told."""
    control = sockets / "supervisor.sock"
    lines = [
        "[unix_http_server]", f"file={control}", "chmod=0700",
        "[supervisord]", "nodaemon=true", "silent=true", f"logfile={logs / 'supervisor.log'}", "loglevel=info",
        f"logfile_maxbytes={LOG_BYTES}", f"pidfile={pid_file}", "minfds=1024",
        f"directory={ROOT}",
        "[rpcinterface:supervisor]", "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        "[supervisorctl]", f"serverurl=unix://{control}",
    ]  # fmt: skip
    for program in programs:
        environment = ",".join(f'{name}="{_escaped(value)}"' for name, value in program.environment.items())
        command = " ".join(shlex.quote(_escaped(word)) for word in program.words())
        lines += [
            f"[program:{program.name}]", f"command={command}", "autostart=false",
            "autorestart=true", "startsecs=5", "startretries=1000000", f"priority={100 if program.name in FIRST else 200}",
            f"stopsignal={program.stop_signal}", f"stopwaitsecs={program.stop_seconds}", "killasgroup=true",
            "redirect_stderr=true", f"stdout_logfile={logs / (program.name + '.log')}",
            f"stdout_logfile_maxbytes={LOG_BYTES}", f"stdout_logfile_backups={LOG_FILES}",
        ]  # fmt: skip
        if environment:
            lines.append(f"environment={environment}")
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__()
        self.path, self.seconds = str(path), seconds

    def make_connection(self, host: Any) -> HTTPConnection:
        return _UnixConnection(self.path, self.seconds)


class Supervisor:
    """The running supervisord of one data folder."""

    def __init__(self, sockets: Path, seconds: float = 60) -> None:
        self.socket, self.seconds = sockets / "supervisor.sock", seconds

    @property
    def _rpc(self) -> Any:
        transport = _UnixTransport(self.socket, self.seconds)
        return xmlrpc.client.ServerProxy("http://localhost", transport=transport).supervisor

    def answers(self) -> bool:
        try:
            return bool(self._rpc.getState()["statename"] == "RUNNING")
        except (OSError, xmlrpc.client.Error):
            return False

    def launch(
        self, configuration: Path, log: Path, environment: dict[str, str], *, detach: bool
    ) -> subprocess.Popen[bytes]:
        """Start supervisord; attached, it dies with us, whatever happens to us."""
        words = [sys.executable, "-m", "controlplane.stack.supervisord", "-c", str(configuration)]
        if not detach:
            words = ["setpriv", "--pdeathsig", "TERM", *words]
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=ROOT,
                env=environment,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise CannotStart(f"The supervisor did not start; {log} says why.")
            time.sleep(0.05)
        return process

    def start(self, name: str) -> None:
        self._rpc.startProcess(name, False)

    def processes(self) -> list[dict[str, Any]]:
        """Name, state, pid and uptime in seconds of each child."""
        return [
            {
                "name": each["name"],
                "state": each["statename"].lower(),
                "pid": each["pid"],
                "uptime_seconds": max(0, each["now"] - each["start"]) if each["pid"] else 0,
            }
            for each in self._rpc.getAllProcessInfo()
        ]

    def shut_down(self) -> None:
        self._rpc.shutdown()
