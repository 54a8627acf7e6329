"""What an operator may get wrong is answered with one sentence, before anything has started."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from controlplane.stack.places import free_port
from controlplane.stack.postgres import Postgres, stop
from tests.stack.conftest import ORDINARY, Started, clean_environment, manage_words

pytestmark = pytest.mark.stack


@pytest.fixture
def closed_folder(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o000)
    yield folder
    folder.chmod(0o700)


def refused(done) -> str:
    assert done.returncode == 1, done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_a_file_where_the_data_folder_should_be(tmp_path):
    (tmp_path / "data").write_text("no folder")
    assert "cannot be used" in refused(Started(tmp_path / "data").up("--detach"))


def test_a_folder_that_cannot_be_written():
    assert "/proc/data cannot be used" in refused(Started("/proc/data").up("--detach"))


def test_a_folder_that_may_not_be_read(closed_folder):
    """Whichever command: one sentence that names it, and the exit code that was promised."""
    closed = Started(closed_folder / "data", as_whom=ORDINARY)
    for words in (["up", "--detach"], ["down"], ["create_account", "somebody", "--role", "auditor"]):
        said = refused(closed.manage(*words))
        assert f"{closed.data_dir} cannot be" in said and "Permission denied" in said
    status = closed.manage("status")
    assert (status.returncode, status.stderr) == (3, "")


def test_stopping_what_is_no_data_folder(tmp_path):
    (tmp_path / "data").write_text("no folder")
    assert "data cannot be used: Not a directory." in refused(Started(tmp_path / "data").manage("down"))


def test_a_full_disk(tmp_path):
    small = ["unshare", "-Urm", "sh", "-c", f'mount -t tmpfs -o size=8m none {tmp_path} && exec "$@"', "sh"]
    words = manage_words("up", "--detach", "--data-dir", tmp_path / "data", "--port", str(free_port()))
    done = subprocess.run(
        [*small, *words],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
        check=False,
    )
    assert "MB left; 512 MB are needed" in refused(done)


@pytest.mark.parametrize("port", ["0x50", "70000", "0"])
def test_a_port_that_is_none(tmp_path, port):
    done = Started(tmp_path / "data", port=port).up("--detach")
    assert done.returncode in {1, 2}  # 2: the command line itself is wrong
    assert "port" in done.stderr.lower() and "Traceback" not in done.stderr


def test_one_port_for_pages_and_gateway(tmp_path):
    port = free_port()
    done = Started(tmp_path / "data", port=port, gateway_port=port).up("--detach")
    assert f"PORT and GATEWAY_PORT are both {port}" in refused(done)


def test_a_demo_whose_story_ended_in_its_middle(tmp_path):
    """Said before anything has started, with the commands as they must be typed."""
    started = Started(tmp_path / "data of mine")
    (started.data_dir / "run").mkdir(parents=True)
    (started.data_dir / "run" / "story_begun").touch()
    done = started.up("--demo")
    assert done.returncode == 1 and not done.stdout
    folder = f"DATA_DIR='{started.data_dir}'"
    assert f"make down {folder}\n" in done.stderr
    assert f"make demo {folder} PORT={started.port} GATEWAY_PORT={started.gateway_port}\n" in done.stderr


def test_data_dir_without_a_folder():
    done = subprocess.run(manage_words("status", "--data-dir"), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr == "--data-dir needs a folder.\n"


def test_commands_of_a_stack_that_does_not_run_say_so(tmp_path):
    done = Started(tmp_path / "data").manage("create_account", "somebody", "--role", "auditor")
    assert done.returncode == 1
    assert "make up" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "https://models.example.org"])
def test_the_deployment_check_finds_nothing_unsafe(address):
    done = subprocess.run(
        manage_words("check", "--deploy", "--tag", "security", "--fail-level", "WARNING"),
        env={**clean_environment(), "PUBLIC_URL": address},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("mode", ["user namespace", "another user"])
def test_root_runs_the_database_as_somebody_else(private_folder, mode):
    """Also where user namespaces are forbidden: then its data lie outside of the data folder."""
    if os.geteuid() != 0:
        pytest.skip("only root needs it")
    postgres = Postgres(private_folder / mode.replace(" ", "-"), free_port(), durable=False, mode=mode)
    process = None
    try:
        postgres.initialise()
        process = postgres.start()
        postgres.prepare()
        assert (Path(f"/proc/{process.pid}").stat().st_uid == 65534) == (mode == "another user")
    finally:
        if process:
            stop(process)
        if mode == "another user":
            shutil.rmtree(postgres.ground.data.parent, ignore_errors=True)
