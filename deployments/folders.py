"""Where serving keeps its files on this host, below DATA_DIR."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from pathlib import Path

from django.conf import settings

# A unix socket's path has at most 107 bytes; below this folder come 40 more.
LONGEST_SOCKET_FOLDER = 60


def journal_folder() -> Path:
    """The gateways' prediction journals."""
    return Path(settings.DATA_DIR) / "predictions"


def scorer_folder(deployment_id: uuid.UUID) -> Path:
    """The private copy of a deployment's model, and its scorer's log."""
    return Path(settings.DATA_DIR) / "run" / "scorers" / str(deployment_id)


def socket_path(deployment_id: uuid.UUID) -> Path:
    """Where the scorer of a deployment listens."""
    return _sockets() / f"{deployment_id.hex}.sock"


def routing_file() -> Path:
    """The gateway's copy of the routing table, for when the database is down."""
    return Path(settings.DATA_DIR) / "run" / "routing.json"


def agent_lock() -> Path:
    """Held by the one agent of this data folder."""
    return Path(settings.DATA_DIR) / "run" / "agent.lock"


def _sockets() -> Path:
    folder = Path(settings.DATA_DIR) / "run" / "sockets"
    if len(str(folder)) <= LONGEST_SOCKET_FOLDER:
        return folder
    digest = hashlib.sha256(str(settings.DATA_DIR).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"controlplane-{os.getuid()}-{digest}-scorers"
