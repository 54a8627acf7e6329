"""Running a program as somebody other than root, without touching the rights of any folder."""

from __future__ import annotations

import functools
import os
import subprocess

UNPRIVILEGED = 65534
NAMESPACE = ["unshare", "-U", f"--map-user={UNPRIVILEGED}", f"--map-group={UNPRIVILEGED}"]


@functools.cache
def prefix() -> list[str]:
    """Words to put before a command that refuses to run as root.

    As an ordinary user: none. As root: a user namespace in which we are an unprivileged id, so
    that files below a 0700 folder of ours stay reachable. Raises RuntimeError where user
    namespaces are forbidden.
    """
    if os.geteuid() != 0:
        return []
    probe = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True, check=False)
    if probe.returncode:
        raise RuntimeError(
            f"PostgreSQL refuses to run as root and user namespaces are not available: {probe.stderr.strip()}"
        )
    return NAMESPACE
