"""Real PostgreSQL and Valkey for a test run; started once, a database per xdist worker.

Loaded as a pytest plugin before Django, so that settings find the addresses.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from controlplane.stack.places import free_port
from controlplane.stack.postgres import Postgres, stop
from controlplane.stack.valkey import Valkey


def start() -> None:
    """Start both servers unless a parent (xdist's controller) has; set the environment."""
    folder = Path(tempfile.mkdtemp(prefix="cptest-"))
    folder.chmod(0o700)
    os.environ["DATA_DIR"] = str(folder)
    os.environ["STATIC_FROM_SOURCE"] = "1"
    os.environ["SECRET_KEY"] = "only for tests, never anywhere else"
    os.environ["ENVELOPE_KEY"] = "this too is only for tests"
    postgres = Postgres(folder, free_port(), durable=False)
    valkey = Valkey(folder, free_port())
    postgres.initialise()
    children = [postgres.start(), valkey.start()]
    postgres.prepare()
    for name, role in {
        "": "cp_app",
        "OWNER_": "cp_owner",
        "SEALER_": "cp_sealer",
        "AUDITOR_": "cp_auditor",
        "TRACKING_": "cp_tracking",
    }.items():
        os.environ[f"DATABASE_{name}URL"] = postgres.url(role)
    os.environ["TEST_SUPERUSER_URL"] = postgres.url("postgres", "postgres")
    os.environ["REDIS_URL"] = valkey.url()
    owner = os.getpid()

    def end() -> None:
        if os.getpid() != owner:
            return
        for child in children:
            stop(child)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)


if "PYTEST_XDIST_WORKER" not in os.environ:
    start()
