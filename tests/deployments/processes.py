"""Starting the real agent and gateway for a test, killing them, and asking for predictions."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import httpx
from django.db import connection
from psycopg.conninfo import conninfo_to_dict

from controlplane.stack.processes import ROOT

BIN = Path(sys.executable).parent
PORTS = range(22100, 22300)


def free_port() -> int:
    for port in PORTS:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise RuntimeError("no free port")


class ServingProcesses:
    """One data folder, its agent and its gateway."""

    def __init__(self, folder: Path, settings, database: str) -> None:
        self.folder = folder
        settings.DATA_DIR = folder
        if not settings.ARTIFACT_ROOT.startswith("s3://"):
            settings.ARTIFACT_ROOT = str(folder / "artifacts")
        parts = conninfo_to_dict(os.environ["DATABASE_URL"]) | {"dbname": database}
        self.environment = {
            **os.environ,
            "DATA_DIR": str(folder),
            "ARTIFACT_ROOT": settings.ARTIFACT_ROOT,
            "S3_ENDPOINT_URL": settings.S3_ENDPOINT_URL,
            "AWS_DEFAULT_REGION": settings.S3_REGION,
            "AWS_ACCESS_KEY_ID": settings.S3_ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": settings.S3_SECRET_ACCESS_KEY,
            "DATABASE_URL": " ".join(f"{name}={value}" for name, value in parts.items()),
            "PREDICTION_LOG_ROTATE_SECONDS": "0.5",
        }
        self.port = free_port()
        self.running: dict[str, subprocess.Popen] = {}
        self.log = folder / "processes.log"
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=40)

    def start_agent(self) -> None:
        self._start("agent", [sys.executable, str(ROOT / "manage.py"), "run_agent"])

    def start_gateway(self) -> None:
        command = ["--interface", "asgi", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        command += ["--no-ws", "--http", "1", "--log-level", "warning", "deployments.serving.gateway:app"]
        self._start("gateway", [str(BIN / "granian"), *command])
        self.until(lambda: self._get("/readyz") == 200, "the gateway answers")

    def _start(self, name: str, command: list[str]) -> None:
        with self.log.open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def _get(self, path: str) -> int:
        try:
            return self.client.get(path).status_code
        except httpx.TransportError:
            return 0

    def kill(self, name: str) -> None:
        """kill -9, its children that run no death signal of their own included."""
        os.killpg(self.running.pop(name).pid, signal.SIGKILL)

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self.client.close()

    def until(self, condition, what: str, seconds: float = 60) -> None:
        """Wait for something that processes do; show their log when it does not come."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.1)
        tail = self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""
        raise AssertionError(f"waited {seconds:g} s in vain until {what}\n{tail}")

    def until_status(self, deployment, *statuses: str, run=None, seconds: float = 90) -> None:
        """Do waiting jobs until the deployment has one of these statuses."""

        def reached() -> bool:
            if run:
                run()
            deployment.refresh_from_db()
            connection.close_if_unusable_or_obsolete()
            return deployment.status in statuses

        self.until(reached, f"the deployment is {' or '.join(statuses)}", seconds)

    def predict(
        self, secret: str, body, environment="production", model="delays", **headers
    ) -> httpx.Response:
        path = f"/endpoints/{quote(environment, safe='')}/{quote(model, safe='')}/invocations"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if secret:
            sent["Authorization"] = f"Bearer {secret}"
        if isinstance(body, bytes):
            return self.client.post(path, content=body, headers=sent)
        return self.client.post(path, json=body, headers=sent)
