"""The processes of the stack, one line each (ARCHITECTURE 2)."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Program:
    """What the supervisor runs. ``death_signal`` reaches it when the supervisor is killed."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    death_signal: str = "TERM"
    stop_seconds: int = 15
    first: bool = False

    def words(self) -> list[str]:
        """The command with the parent-death signal set after any change of user."""
        namespace = len(self.command) - len(_after_namespace(self.command))
        guard = ["setpriv", "--pdeathsig", self.death_signal]
        return [*self.command[:namespace], *guard, *self.command[namespace:]]


def _after_namespace(command: list[str]) -> list[str]:
    if command[0] != "unshare":
        return command
    return command[next(i for i, word in enumerate(command) if i and not word.startswith("-")) :]


def granian(application: str, interface: str, *options: str) -> list[str]:
    """A granian server in one line; graceful on TERM, restarts a worker that died."""
    return [
        str(BIN / "granian"), "--interface", interface, "--no-ws", "--http", "1", "--log-level", "warning",
        "--respawn-failed-workers", "--working-dir", str(ROOT), *options, application,
    ]  # fmt: skip


def manage(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *words]


def worker(name: str, queues: str) -> list[str]:
    return [
        sys.executable, "-m", "celery", "-A", "controlplane", "worker", "-n", f"{name}@%%h", "-Q", queues,
        "--concurrency", "1", "--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING",
    ]  # fmt: skip


def programs(port: int, gateway_port: int, sockets: Path, web_workers: int = 2) -> list[Program]:
    """Everything but the database and Valkey, in the order in which they start."""
    pool = {"DATABASE_POOL": "6"}
    return [
        Program(
            "web",
            granian(
                "controlplane.wsgi:application",
                "wsgi",
                "--uds",
                str(sockets / "web.sock"),
                "--workers",
                str(web_workers),
                "--blocking-threads",
                "4",
            ),  # fmt: skip
            pool,
        ),
        Program(
            "tracking",
            granian(
                "controlplane.tracking:app", "asgi", "--uds", str(sockets / "tracking.sock"), "--workers", "1"
            ),
        ),
        Program(
            "edge",
            granian(
                "controlplane.edge:app", "asgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"
            ),
        ),
        Program(
            "worker-default", worker("default", "default,deployments"), death_signal="QUIT", stop_seconds=20
        ),
        Program(
            "worker-evaluations",
            worker("evaluations", "evaluations,monitoring"),
            death_signal="QUIT",
            stop_seconds=20,
        ),
        Program(
            "beat",
            [
                sys.executable,
                "-m",
                "celery",
                "-A",
                "controlplane",
                "beat",
                "--loglevel",
                "WARNING",
                "--pidfile=",
            ],
        ),
        Program("sealer", manage("seal_ledger", "--follow"), {"DATABASE_ROLE": "sealer"}),
        Program("agent", manage("run_agent")),
        Program(
            "gateway",
            granian(
                "deployments.serving.gateway:app",
                "asgi",
                "--host",
                "127.0.0.1",
                "--port",
                str(gateway_port),
                "--workers",
                "1",
            ),  # fmt: skip
        ),
    ]
