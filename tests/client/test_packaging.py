"""``pip install ./client``: a wheel with everything it needs, and nothing of the server."""

import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import httpx
import pytest

CLIENT = Path(__file__).resolve().parents[2] / "client"
IMPORTED = re.compile(r"^(?:from|import) (\w+)", re.MULTILINE)
DISTRIBUTIONS = {"httpx": "httpx", "typer": "typer", "rich": "rich", "yaml": "pyyaml"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=CLIENT, check=True, capture_output=True, timeout=120)
    [made] = folder.glob("cplane-*.whl")
    return made


def test_a_fresh_environment_gets_the_command_and_the_package(wheel, tmp_path):
    """Its dependencies come from the environment of these tests, so that no registry is needed."""
    place = tmp_path / "venv"
    uv = Path(sys.prefix) / "bootstrap/bin/uv"
    venv.create(place, with_pip=not uv.exists())
    [library] = place.glob("lib/python*/site-packages")
    (library / "dependencies.pth").write_text(str(Path(httpx.__file__).parents[1]))
    python = str(place / "bin" / "python")
    install = (
        [str(uv), "pip", "install", "--python", python] if uv.exists() else [python, "-m", "pip", "install"]
    )
    install += ["--no-index", "--no-deps", "--quiet", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    assert (place / "bin" / "cplane").exists()
    run = [python, "-c", "import cplane.main, controlplane_client as c; print(c.__file__)"]
    found = subprocess.run(run, check=True, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert found.stdout.startswith(str(library))
    told = subprocess.run(
        [python, "-m", "cplane", "--version"],
        check=True, capture_output=True, text=True, timeout=60, cwd=tmp_path,
    )  # fmt: skip
    assert told.stdout == "cplane 0.1.0\n"


def test_it_declares_what_it_imports_and_ships_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
        sources = [archive.read(name).decode() for name in names if name.endswith(".py")]
    declared = set(re.findall(r"^Requires-Dist: ([a-z]+)", metadata, re.MULTILINE))
    imported = {name for source in sources for name in IMPORTED.findall(source)}
    outside = imported - set(sys.stdlib_module_names) - {"controlplane_client", "cplane"}
    assert {DISTRIBUTIONS[name] for name in outside} == declared
    assert {name.split("/")[0] for name in names} == {
        "cplane",
        "controlplane_client",
        "cplane-0.1.0.dist-info",
    }
