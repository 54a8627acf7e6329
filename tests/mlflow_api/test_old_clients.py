"""Clients of MLflow 2, from its first release on, work unchanged.

Each gets an interpreter of its own, installed from the package index once and kept in ``var/clients``.
"""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from registry.models import ModelVersion

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
INSTALLING_SECONDS, RUNNING_SECONDS = 180, 240
# Of the years of these releases, where they did not say so themselves.
OF_ITS_TIME = ["pandas<2", "numpy<2", "setuptools<70"]
# The first release of MLflow 2; another is tried by adding it with whether it knows aliases (from 2.3.0 on).
VERSIONS = {"2.0.0": False}


def installed(version):
    """The interpreter that has this client; installed anew if that was cut short."""
    folder = ROOT / "var" / "clients" / f"mlflow-{version}"
    python, done = folder / "bin" / "python", folder / "complete"
    if not done.exists():
        uv = shutil.which("uv") or str(Path(sys.prefix) / "bootstrap" / "bin" / "uv")
        shutil.rmtree(folder, ignore_errors=True)
        wanted = [f"mlflow-skinny=={version}", *OF_ITS_TIME]
        for command in (
            [uv, "venv", "-q", "-p", sys.executable, str(folder)],
            [uv, "pip", "install", "-q", "-p", str(python), *wanted],
        ):
            subprocess.run(command, check=True, timeout=INSTALLING_SECONDS)
        done.touch()
    return python


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_client_logs_registers_finds_and_loads(installation, actor, scientist, version):
    from accounts.services import issue_token

    _, secret = issue_token(actor=actor(scientist), account=scientist, name="old", scopes=["all"])
    name = f"old-{uuid.uuid4().hex[:8]}"
    done = subprocess.run(
        [str(installed(version)), str(Path(__file__).with_name("old_client.py")), name],
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/tmp"),
            "MLFLOW_TRACKING_URI": installation.url,
            "MLFLOW_TRACKING_TOKEN": secret,
            "GIT_PYTHON_REFRESH": "quiet",
        },
        capture_output=True,
        text=True,
        timeout=RUNNING_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.strip().splitlines()[-1])
    refusal = found.pop("refusal")
    assert found == {
        "client": version,
        "has_aliases": VERSIONS[version],
        "status": "READY",
        "models": [name],
        "versions": [found["versions"][0]],
        "latest": found["versions"],
        "tags": {"team": "ops"},
        "runs": True,
        "loaded": [[2, 4]] * (3 if VERSIONS[version] else 2),
    }
    assert "PERMISSION_DENIED" in refusal
    assert "/approvals/" in refusal
    row = ModelVersion.objects.get(model__name=name)
    assert (row.status, row.stage, row.metrics["auc"], row.description) == ("READY", "Staging", 0.7, "first")
