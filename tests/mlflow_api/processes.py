"""Edge, web and the tracking server as child processes, on a free port and sockets of their own."""

import http.client
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from controlplane.stack.places import free_port
from controlplane.stack.processes import ROOT, server

STARTING_SECONDS = 120


class Processes:
    secret = "a secret that only tests know"

    def __init__(self, database: str, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.sockets = Path(tempfile.mkdtemp(prefix="cpmlf-"))
        self.artifacts = folder / "artifacts"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.children: list[subprocess.Popen[bytes]] = []

    def socket(self, name: str) -> Path:
        return self.sockets / f"{name}.sock"

    def environment(self) -> dict[str, str]:
        mine = {
            name: _in(os.environ[name], self.database)
            for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_TRACKING_URL")
        }
        return {
            **os.environ,
            **mine,
            "WEB_SOCKET": str(self.socket("web")),
            "TRACKING_SOCKET": str(self.socket("tracking")),
            "TRACKING_SECRET": self.secret,
            "TRACKING_ARTIFACTS": f"{self.artifacts}/mlflow",
            "ARTIFACT_ROOT": str(self.artifacts),
            "PUBLIC_URL": self.url,
            "LARGEST_ARTIFACT_BYTES": str(64 << 20),
            "LARGEST_BODY_BYTES": str(8 << 20),
            "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1",
            "DJANGO_SETTINGS_MODULE": "controlplane.settings",
        }

    def start(self) -> "Processes":
        self._run("tracking", server("controlplane.tracking:app", "asgi", uds=self.socket("tracking")))
        web = server("controlplane.wsgi:application", "wsgi", uds=self.socket("web"), blocking_threads=4)
        self._run("web", web, DATABASE_POOL="6")
        self._run("edge", server("controlplane.edge:app", "asgi", port=self.port))
        self._wait()
        return self

    def stop(self) -> None:
        for child in self.children:
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def _run(self, name: str, command: list[str], **more: str) -> None:
        guarded = ["setpriv", "--pdeathsig", "TERM", *command]
        with (self.folder / f"{name}.log").open("wb") as log:
            self.children.append(
                subprocess.Popen(
                    guarded, env={**self.environment(), **more}, stdout=log, stderr=log, cwd=ROOT
                )
            )

    def _wait(self) -> None:
        """Until edge reaches both: web's health, and a refusal that only needs the database."""
        deadline = time.monotonic() + STARTING_SECONDS
        while True:
            if all(self._answers(name) for name in ("web", "tracking")) and self._status("/healthz") == 200:
                return
            ended = [child for child in self.children if child.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = "\n".join(self.log(name)[-2000:] for name in ("tracking", "web", "edge"))
                raise AssertionError(f"the processes did not start: {logs}")
            time.sleep(0.2)

    def _answers(self, name: str) -> bool:
        connection = UnixConnection(str(self.socket(name)))
        try:
            connection.request("GET", "/health", headers={"X-Controlplane-Tracking-Secret": self.secret})
            return connection.getresponse().status < 500
        except OSError:
            return False
        finally:
            connection.close()

    def _status(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()


@contextmanager
def working():
    """Do waiting jobs in this process while the block runs, like the stack's worker."""
    from django.db import connection

    from core.jobs.models import Job
    from core.jobs.run import run_job

    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            job = Job.objects.filter(status="queued").order_by("created_at").first()
            if job is None:
                over.wait(0.1)
            else:
                run_job(job.pk)
        connection.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self) -> None:
        import socket

        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


def _in(url: str, database: str) -> str:
    """The address of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
