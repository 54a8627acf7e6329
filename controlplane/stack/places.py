"""Where things are on this machine."""

import hashlib
import os
import socket
import tempfile
from importlib.util import find_spec
from pathlib import Path

# A unix socket's path ends at 107 bytes; this leaves room for the file's name.
LONGEST_SOCKET_FOLDER = 85
MARK = "CONTROLPLANE_STACK_OF"


def data_dir() -> Path:
    """The data folder these commands work on; manage.py turned ``--data-dir`` into DATA_DIR."""
    return Path(os.environ.get("DATA_DIR") or Path(__file__).resolve().parents[2] / "var").absolute()


def installed(package: str) -> Path:
    """The folder of a package whose binaries we run without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is not installed.")
    return Path(spec.submodule_search_locations[0])


def socket_folder(data_dir: Path) -> Path:
    """``run`` in the data folder, or a short folder elsewhere when its path is too long for sockets."""
    own = data_dir / "run"
    if len(os.fsencode(own)) <= LONGEST_SOCKET_FOLDER:
        return own
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"controlplane-{os.getuid()}-{name}"


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_alive(pid: int) -> bool:
    """Whether a process of this id exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def processes_of(data_dir: Path) -> set[int]:
    """Everybody who was started for this data folder (the supervisor marks them in their environment)."""
    mark = os.fsencode(f"{MARK}={data_dir}")
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0") and is_alive(int(folder.name)):
                found.add(int(folder.name))
        except OSError:
            continue
    return found
