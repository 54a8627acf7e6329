"""What must be so before anything starts, and the sentence for each way it can be otherwise."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controlplane.stack.keys import generated
from controlplane.stack.refusals import CannotStart

FOLDERS = ["postgres", "valkey", "artifacts", "predictions", "exports", "logs", "keys", "run"]
OUR_KEYS = ["secret_key", "tracking_secret", "envelope_key"]
NEEDED_BYTES = 512 << 20


def prepare_folder(data_dir: Path, sockets: Path) -> None:
    """Folders with 0700 and the keys; refuses a folder that cannot be used or a disk that is full."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if data_dir.stat().st_uid != os.geteuid():
            raise CannotStart(
                f"The data folder {data_dir} belongs to somebody else; use another with DATA_DIR=."
            )
        data_dir.chmod(0o700)
        for folder in (*(data_dir / name for name in FOLDERS), sockets):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if sockets.stat().st_uid != os.geteuid():
            raise CannotStart(f"The folder for sockets {sockets} belongs to somebody else.")
        probe = data_dir / "run" / "probe"
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
        free = shutil.disk_usage(data_dir).free
        for name in OUR_KEYS:
            generated(data_dir / "keys" / name)
    except OSError as error:
        raise CannotStart(f"The data folder {data_dir} cannot be used: {error.strerror}.") from error
    if free < NEEDED_BYTES:
        raise CannotStart(
            f"The disk of the data folder {data_dir} has {free >> 20} MB left; {NEEDED_BYTES >> 20} MB are needed."
        )


def require_port(port: int, name: str) -> None:
    """Refuses a port that is taken, forbidden or none."""
    if not 0 < port < 65536:
        raise CannotStart(f"{name} must be a number from 1 to 65535, not {port}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "it must be a number from 1 to 65535"
            raise CannotStart(
                f"Port {port} cannot be used ({reason}); choose another with {name}=."
            ) from error


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Two people who start the same stack at the same moment: the second is told."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart("This stack is being started by somebody else right now.") from error
        yield
