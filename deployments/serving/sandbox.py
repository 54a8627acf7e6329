"""The command line that runs a scorer inside bubblewrap, or plainly where that cannot be."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CODE = Path(__file__).resolve().parent.parent.parent
SYSTEM_FOLDERS = ("/usr", "/bin", "/lib", "/lib64", "/sbin", "/etc/ld.so.cache", "/etc/localtime", "/etc/ssl")
MODULES = ("deployments/__init__.py", "deployments/serving")


class SandboxMissing(Exception):
    """SANDBOX=required, and this host cannot run bubblewrap."""


@dataclass(frozen=True)
class ScorerCommand:
    """What to start for one deployment; ``sandbox`` says which fence stands around it."""

    arguments: list[str]
    environment: dict[str, str]
    sandbox: str


@cache
def bubblewrap() -> str | None:
    """The path of a bubblewrap that works on this host."""
    path = shutil.which("bwrap")
    if path is None:
        return None
    probe = [
        path,
        "--ro-bind",
        "/",
        "/",
        "--unshare-all",
        "--die-with-parent",
        "--proc",
        "/proc",
        "/bin/true",
    ]
    try:
        works = subprocess.run(probe, capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return None
    return path if works else None


def scorer_command(
    *,
    model: Path,
    manifest: Path,
    digest: str,
    deployment: str,
    socket_fd: int,
    parent: int,
    required: bool,
    memory_bytes: int = 4 << 30,
) -> ScorerCommand:
    """How to start the scorer of one deployment."""
    program = bubblewrap()
    if program is None and required:
        raise SandboxMissing(
            "SANDBOX=required, but bubblewrap is missing or may not make namespaces on this host."
        )
    python = [sys.executable, "-s", "-B", "-m", "deployments.serving.scorer"]
    options = ["--digest", digest, "--deployment", deployment, "--socket-fd", str(socket_fd)]
    options += ["--memory-bytes", str(memory_bytes)]
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/tmp",  # noqa: S108 - inside the sandbox this is its own empty folder
        "PYTHONPATH": str(CODE),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_TRACKING_URI": "file:///tmp/none",
    }
    if program is None:
        places = ["--model", str(model), "--manifest", str(manifest), "--parent", str(parent)]
        return ScorerCommand([*python, *places, *options], environment, "none")
    fence = _fence(program)
    for outside, inside in ((model, "/model"), (manifest, "/manifest.json")):
        fence += ["--ro-bind", str(outside), inside]
    places = ["--model", "/model", "--manifest", "/manifest.json"]
    return ScorerCommand(
        [*fence, "--chdir", "/", "--", *python, *places, *options], environment, "bubblewrap"
    )


def _fence(program: str) -> list[str]:
    fence = [program, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    fence += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]  # noqa: S108 - inside the sandbox
    for folder in SYSTEM_FOLDERS:
        fence += ["--ro-bind-try", folder, folder]
    for prefix in dict.fromkeys((sys.base_prefix, sys.prefix)):
        if not prefix.startswith("/usr"):
            fence += ["--ro-bind", prefix, prefix]
    for module in MODULES:
        fence += ["--ro-bind", str(CODE / module), str(CODE / module)]
    return fence
