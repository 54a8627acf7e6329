"""The processes of the stack, one line each (ARCHITECTURE 2)."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controlplane.stack.places import MARK

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

    def words(self) -> list[str]:
        """The command with the parent-death signal set after any change of user."""
        namespace = len(self.command) - len(_after_namespace(self.command))
        guard = ["setpriv", "--pdeathsig", self.death_signal]
        return [*self.command[:namespace], *guard, *self.command[namespace:]]


def _after_namespace(command: list[str]) -> list[str]:
    if command[0] != "unshare":
        return command
    return command[next(i for i, word in enumerate(command) if i and not word.startswith("-")) :]


def server(application: str, interface: str, **options: Any) -> list[str]:
    words = [sys.executable, "-m", "controlplane.stack.server", application, interface]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return words


def manage(*words: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), *words]


def celery(*words: str) -> list[str]:
    return [sys.executable, "-m", "controlplane.stack.jobs", *words]


def worker(name: str, queues: str) -> Program:
    """Killed with its supervisor, it gives its job back at once."""
    command = celery("worker", "--name", name, "--queues", queues)
    return Program(f"worker-{name}", command, death_signal="QUIT", stop_seconds=20)


# Ours, but of no use of our tables: they start while those are migrated.
EARLY = ["tracking", "edge"]


def common_environment(data_dir: Path, sockets: Path) -> dict[str, str]:
    """What every process of a stack is told, and the mark by which it is found again."""
    return {
        MARK: str(data_dir),
        "DATA_DIR": str(data_dir),
        "WEB_SOCKET": str(sockets / "web.sock"),
        "TRACKING_SOCKET": str(sockets / "tracking.sock"),
        "SPT_NOENV": "1",  # setproctitle must not write over the mark
        "PYTHONDONTWRITEBYTECODE": "",  # ten processes share what one has compiled
        "PYTHONUNBUFFERED": "1",
        "LOG_UNCAUGHT": "1",
        "MALLOC_ARENA_MAX": "2",
        "CELERY_SKIP_CHECKS": "1",  # web checks at its start; they would load every page here
    }


def programs(port: int, gateway_port: int, sockets: Path) -> list[Program]:
    """Everything but the database and Valkey, in the order in which they start."""
    web = server(
        "controlplane.wsgi:application", "wsgi", uds=sockets / "web.sock", workers=2, blocking_threads=4
    )
    tracking = server("controlplane.tracking:app", "asgi", uds=sockets / "tracking.sock")
    return [
        Program("web", web, {"DATABASE_POOL": "6"}),
        Program("tracking", tracking),
        Program("edge", server("controlplane.edge:app", "asgi", port=port)),
        worker("default", "default,deployments"),
        worker("evaluations", "evaluations,monitoring,scans"),
        Program("beat", celery("beat", "--queues", "webhooks"), death_signal="QUIT", stop_seconds=20),
        Program("sealer", manage("seal_ledger", "--follow"), {"DATABASE_ROLE": "sealer"}),
        Program("agent", manage("run_agent")),
        Program("gateway", server("deployments.serving.gateway:app", "asgi", port=gateway_port)),
    ]
