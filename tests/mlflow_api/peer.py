"""MLflow's own server as a child process: what an unchanged client is used to.

``python -m tests.mlflow_api.peer PORT FOLDER`` serves MLflow's app with a store of its own below
FOLDER. It is the app that ``mlflow server`` runs, without that command's job runners and process
manager, which take a minute to start on a busy machine and answer none of the registry's calls.
"""

import http.client
import json
import os
import socketserver
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

STARTING_SECONDS = 120


class Peer:
    """The child process, and calls to it that answer the status and the JSON body."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.folder = port, folder

    def start(self) -> "Peer":
        command = [
            "setpriv", "--pdeathsig", "TERM", sys.executable, "-m", __name__, str(self.port), str(self.folder)
        ]  # fmt: skip
        with (self.folder / "peer.log").open("wb") as log:
            self.child = subprocess.Popen(command, stdout=log, stderr=log, cwd=Path(__file__).parents[2])
        deadline = time.monotonic() + STARTING_SECONDS
        while not self._answers():
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(
                    f"the peer did not start: {(self.folder / 'peer.log').read_text()[-2000:]}"
                )
            time.sleep(0.2)
        return self

    def stop(self) -> None:
        self.child.terminate()
        self.child.wait(15)

    def call(self, method: str, path: str, arguments: dict) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            if method == "GET":
                connection.request("GET", f"{path}?{urlencode(arguments, doseq=True)}")
            else:
                connection.request(
                    method, path, json.dumps(arguments), headers={"Content-Type": "application/json"}
                )
            answer = connection.getresponse()
            body = answer.read()
            return answer.status, json.loads(body) if body else {}
        finally:
            connection.close()

    def _answers(self) -> bool:
        try:
            return self.call("GET", "/health-of-the-peer", {})[0] > 0
        except ValueError:  # MLflow's page for what it does not know is not JSON
            return True
        except OSError:
            return False


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Handler(WSGIRequestHandler):
    def log_message(self, *about: object) -> None:
        pass


def serve(port: int, folder: Path) -> None:
    os.environ.update(
        _MLFLOW_SERVER_FILE_STORE=f"sqlite:///{folder}/peer.db",
        _MLFLOW_SERVER_ARTIFACT_ROOT="mlflow-artifacts:/",
        _MLFLOW_SERVER_ARTIFACT_DESTINATION=str(folder / "artifacts"),
        _MLFLOW_SERVER_SERVE_ARTIFACTS="true",
        MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE="true",
        MLFLOW_DISABLE_TELEMETRY="true",
        DO_NOT_TRACK="true",
    )
    unneeded = ("polars", "pandas", "pyarrow", "scipy", "sklearn", "matplotlib", "numpy", "IPython")
    sys.modules.update(dict.fromkeys(unneeded))  # a None here makes the import fail, as without them

    from mlflow.server import app
    from mlflow.server.handlers import _get_model_registry_store

    _get_model_registry_store()  # its tables, before the first call
    with Server(("127.0.0.1", port), Handler) as server:
        server.set_app(app)
        server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))
