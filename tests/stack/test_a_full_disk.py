"""A disk that fills while the stack runs: nothing ends, readiness says so, and it goes on afterwards."""

import subprocess
import sys
from pathlib import Path

import pytest

from controlplane.stack.processes import ROOT, Program
from controlplane.stack.supervision import Supervisor, write_configuration
from tests.stack.conftest import clean_environment
from tests.waiting import wait_for

pytestmark = pytest.mark.stack
FULL = Path("/dev/full")


def test_the_supervisor_outlives_log_files_that_cannot_be_written(tmp_path):
    """Whatever is written to /dev/full fails as on a full disk, its standard error included."""
    for name in ("supervisor.log", "chatty.log"):
        (tmp_path / name).symlink_to(FULL)
    ticks = tmp_path / "ticks"
    chatty = Program("chatty", ["sh", "-c", f"while echo a line; do echo x >> {ticks} && sleep 0.02; done"])
    configuration = tmp_path / "supervisord.conf"
    write_configuration(configuration, [chatty], tmp_path, tmp_path, tmp_path / "supervisord.pid")
    supervisor = Supervisor(tmp_path)
    process = supervisor.launch(configuration, FULL, clean_environment(), detach=False)
    try:
        supervisor.start("chatty")
        wait_for(lambda: process.poll() is not None or (ticks.exists() and ticks.stat().st_size > 40), 20)
        assert process.poll() is None and supervisor.answers()
    finally:
        process.terminate()
        process.wait(20)


ASK = """
import os, sys, django
from pathlib import Path
os.environ["DJANGO_SETTINGS_MODULE"] = "controlplane.settings"
django.setup()
from controlplane.health import PARTS
print(PARTS["store"]())
try:
    (Path(os.environ["ARTIFACT_ROOT"]) / "big").write_bytes(bytes(16 << 20))
except OSError:
    print(PARTS["store"]())
"""


def test_readiness_says_that_the_disk_is_nearly_or_wholly_full(tmp_path):
    mount = f'mount -t tmpfs -o size=8m none {tmp_path} && exec "$@"'
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", mount, "sh", sys.executable, "-c", ASK],
        env={**clean_environment(), "ARTIFACT_ROOT": str(tmp_path), "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "only 8 MB are left on its disk",
        "The object store cannot be written: No space left on device",
    ], done.stderr
