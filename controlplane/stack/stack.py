"""One installation on this machine: preparing it, starting it, stopping it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from controlplane.stack.postgres import DATABASE, LONGEST_SOCKET_FOLDER, Postgres
from controlplane.stack.processes import ROOT, Program, programs
from controlplane.stack.refusals import CannotStart
from controlplane.stack.supervision import Supervisor, is_alive, write_configuration
from controlplane.stack.valkey import Valkey

FOLDERS = ["postgres", "valkey", "artifacts", "predictions", "exports", "logs", "keys", "run"]
NEEDED_BYTES = 512 << 20
READY_SECONDS = 120
STOP_SECONDS = 60
ROLE_OF = {
    "DATABASE_URL": "cp_app",
    "DATABASE_OWNER_URL": "cp_owner",
    "DATABASE_SEALER_URL": "cp_sealer",
    "DATABASE_AUDITOR_URL": "cp_auditor",
    "DATABASE_TRACKING_URL": "cp_tracking",
}


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Stack:
    """The stack of one data folder."""

    data_dir: Path
    port: int = 8000
    gateway_port: int = 8001

    @property
    def run(self) -> Path:
        return self.data_dir / "run"

    @property
    def sockets(self) -> Path:
        """Unix sockets need a short path (107 bytes)."""
        if len(str(self.run)) <= LONGEST_SOCKET_FOLDER:
            return self.run
        name = f"controlplane-{os.getuid()}-{hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]}"
        return Path(tempfile.gettempdir()) / name

    @property
    def supervisor(self) -> Supervisor:
        return Supervisor(Path(self.facts().get("sockets") or self.sockets))

    def facts(self) -> dict[str, Any]:
        """What the running stack wrote about itself (run/stack.json), or nothing."""
        try:
            return dict(json.loads((self.run / "stack.json").read_text()))
        except (OSError, ValueError):
            return {}

    def is_running(self) -> bool:
        return bool(self.facts()) and self.supervisor.answers()

    # --- starting ---------------------------------------------------------------------

    def prepare_folder(self) -> None:
        """Folders of ours with 0700; refuses with a sentence what cannot be used."""
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name in FOLDERS:
                (self.data_dir / name).mkdir(exist_ok=True, mode=0o700)
            self.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self.run / "probe"
            probe.write_bytes(b"x" * 4096)
            probe.unlink()
            free = shutil.disk_usage(self.data_dir).free
        except OSError as error:
            raise CannotStart(f"The data folder {self.data_dir} cannot be used: {error.strerror}.") from error
        if free < NEEDED_BYTES:
            raise CannotStart(
                f"The disk of the data folder {self.data_dir} has {free >> 20} MB left; {NEEDED_BYTES >> 20} MB are needed."
            )
        for name in ("secret_key", "tracking_secret"):
            key = self.data_dir / "keys" / name
            if not key.exists():
                with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(secrets.token_urlsafe(64))

    def require_ports(self) -> None:
        for port, name in ((self.port, "PORT"), (self.gateway_port, "GATEWAY_PORT")):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except (OSError, OverflowError) as error:
                    raise CannotStart(
                        f"Port {port} cannot be used ({getattr(error, 'strerror', None) or error}); choose another with {name}=."
                    ) from error

    def start(self, *, detach: bool, say: Any = print) -> subprocess.Popen[bytes]:
        """Everything, in order; returns supervisord once ``/readyz`` answers."""
        self.prepare_folder()
        self.require_ports()
        keys = self.data_dir / "keys"
        postgres = (
            None
            if os.environ.get("DATABASE_URL")
            else Postgres(self.data_dir / "postgres", keys, free_port())
        )
        valkey = None if os.environ.get("REDIS_URL") else Valkey(self.data_dir / "valkey", keys, free_port())
        servers: list[Program] = []
        if postgres:
            (self.data_dir / "postgres" / "postmaster.pid").unlink(missing_ok=True)
            postgres.initialise()
            servers.append(
                Program("postgres", postgres.command(), stop_signal="INT", death_signal="INT", first=True)
            )
        if valkey:
            servers.append(Program("valkey", valkey.command(), first=True))
        everything = servers + programs(self.port, self.gateway_port, self.sockets)
        environment = self._environment(postgres, valkey)
        for program in everything:
            program.environment.update(DATA_DIR=str(self.data_dir), WEB_SOCKET=str(self.sockets / "web.sock"),
                                       TRACKING_SOCKET=str(self.sockets / "tracking.sock"))  # fmt: skip
        self._remember(environment, postgres, valkey)
        configuration = self.run / "supervisord.conf"
        write_configuration(
            configuration, everything, self.sockets, self.data_dir / "logs", self.run / "supervisord.pid"
        )
        supervisor = Supervisor(self.sockets)
        process = supervisor.launch(configuration, self.data_dir / "logs" / "supervisor.out", detach=detach)
        try:
            self._bring_up(process, supervisor, postgres, valkey, say)
        except BaseException:
            self.stop()
            raise
        return process

    def _bring_up(self, process: Any, supervisor: Supervisor, postgres: Any, valkey: Any, say: Any) -> None:
        if postgres:
            postgres.wait()
            postgres.prepare()
        if valkey:
            valkey.wait()
        say("Migrating the database…")
        self.manage("migrate", "--no-input", DATABASE_ROLE="owner")
        self.manage("collectstatic", "--no-input", COLLECT_STATIC="1")
        for name in (
            "web",
            "tracking",
            "edge",
            "gateway",
            "sealer",
            "worker-default",
            "worker-evaluations",
            "beat",
            "agent",
        ):
            supervisor.start(name)
        self._remember(self.facts()["environment"], postgres, valkey, supervisor_pid=process.pid)
        say("Waiting for every part to answer…")
        self.wait_ready(process)

    def manage(self, *words: str, **environment: str) -> None:
        """Run a manage command of this installation; its last line is the reason when it fails."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *words, "-v", "0"],
            env={**os.environ, "DATA_DIR": str(self.data_dir), **environment},
            capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no reason given"]
            (self.data_dir / "logs" / "start.log").write_text(done.stderr)
            raise CannotStart(f"manage.py {words[0]} failed: {lines[-1]}")

    def wait_ready(self, process: Any = None, seconds: float = READY_SECONDS) -> None:
        """Until /readyz and the gateway answer; else say which part does not."""
        deadline, reason = time.monotonic() + seconds, "no answer"
        while time.monotonic() < deadline:
            if process is not None and process.poll() is not None:
                raise CannotStart(
                    "The supervisor ended while the stack was starting; see logs/supervisor.log."
                )
            try:
                answer = httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5)
                reason = answer.text[:300]
                if answer.status_code == 200:
                    return
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
            time.sleep(0.2)
        raise CannotStart(
            f"The stack did not become ready within {seconds:.0f} s: {reason}. See {self.data_dir / 'logs'}."
        )

    def _environment(self, postgres: Postgres | None, valkey: Valkey | None) -> dict[str, str]:
        known = {
            "PUBLIC_URL": os.environ.get("PUBLIC_URL") or f"http://127.0.0.1:{self.port}",
            "GATEWAY_URL": os.environ.get("GATEWAY_URL") or f"http://127.0.0.1:{self.gateway_port}",
            "WEB_SOCKET": str(self.sockets / "web.sock"),
            "TRACKING_SOCKET": str(self.sockets / "tracking.sock"),
        }
        if postgres:
            known |= {name: postgres.url(role, password="{password}") for name, role in ROLE_OF.items()}  # noqa: S106
        if valkey:
            known["REDIS_URL"] = valkey.url("{password}")
        return known

    def _remember(
        self, environment: dict[str, str], postgres: Any, valkey: Any, supervisor_pid: int | None = None
    ) -> None:
        facts = {
            "environment": environment,
            "passwords": {**ROLE_OF, "REDIS_URL": "valkey"},
            "port": self.port,
            "gateway_port": self.gateway_port,
            "sockets": str(self.sockets),
            "supervisor_pid": supervisor_pid,
            "python": sys.version.split()[0],
            "database": DATABASE,
            "database_user_mode": "user namespace"
            if os.geteuid() == 0 and postgres
            else "own user"
            if postgres
            else "external",
        }
        staged = self.run / "stack.json.new"
        staged.write_text(json.dumps(facts, indent=1))
        staged.replace(self.run / "stack.json")

    # --- stopping ---------------------------------------------------------------------

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Stop every process; False when none ran."""
        supervisor, facts = self.supervisor, self.facts()
        pid = self._supervisor_pid() or facts.get("supervisor_pid")
        ran = supervisor.answers()
        children = [each["pid"] for each in supervisor.processes() if each["pid"]] if ran else []
        if ran:
            supervisor.shut_down()
        deadline = time.monotonic() + seconds
        while any(is_alive(each) for each in [pid, *children] if each) and ran:
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"Some processes did not stop within {seconds:.0f} s; see {self.data_dir / 'logs'}."
                )
            time.sleep(0.1)
        (self.run / "stack.json").unlink(missing_ok=True)
        return ran

    def _supervisor_pid(self) -> int | None:
        try:
            return int((self.run / "supervisord.pid").read_text())
        except (OSError, ValueError):
            return None
