"""A small tracking server for tests: real HTTP, runs and logged models from a dictionary; searches find nothing."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

MLMODEL = """\
artifact_path: model
flavors:
  python_function:
    loader_module: mlflow.sklearn
    model_path: model.skops
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
  sklearn:
    pickled_model: model.pkl
    serialization_format: cloudpickle
    sklearn_version: 1.9.1
mlflow_version: 3.17.2
model_size_bytes: 12
run_id: %(run_id)s
signature:
  inputs: '[{"type": "string", "name": "carrier", "required": true}, {"type": "double", "name": "temp", "required": false}]'
  outputs: '[{"type": "double", "required": true}]'
  params: null
utc_time_created: '2026-11-23 07:00:00.000000'
"""
FILES = {
    "MLmodel": MLMODEL,
    "model.pkl": b"\x80\x04N.",
    "requirements.txt": "mlflow==3.17.2\nscikit-learn==1.9.1\n",
    "python_env.yaml": "python: 3.11.2\nbuild_dependencies: [pip==26.1]\ndependencies: [-r requirements.txt]\n",
}


class Tracking:
    """Runs and logged models, and the folder their artifacts are in."""

    def __init__(self, artifacts: Path) -> None:
        self.artifacts = artifacts
        self.artifacts.mkdir(parents=True, exist_ok=True)
        self.runs: dict[str, dict] = {}
        self.logged_models: dict[str, dict] = {}
        self.owner = ""
        self.is_away = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self.thread.start()

    def add_run(self, run_id: str, files: dict | None = None, *, path: str = "model", **data) -> str:
        """A finished run with a model at ``path``; answers the source to register."""
        home = f"0/{run_id}/artifacts"
        self.runs[run_id] = {
            "info": {
                "run_id": run_id,
                "run_name": f"name of {run_id}",
                "experiment_id": "0",
                "status": data.get("status", "FINISHED"),
                "user_id": "scientist",
                "start_time": 1790000000000,
                "end_time": 1790000060000,
                "artifact_uri": f"mlflow-artifacts:/{home}",
            },
            "data": {
                "params": pairs(data.get("params", {})),
                "metrics": [
                    {"key": key, "value": value, "step": 0} for key, value in data.get("metrics", {}).items()
                ],
                "tags": pairs({"controlplane.owner": data.get("owner", self.owner), **data.get("tags", {})}),
            },
            "inputs": {"dataset_inputs": data.get("inputs", [])},
        }
        self.write(f"{home}/{path}", FILES if files is None else files, run_id)
        return f"runs:/{run_id}/{path}"

    def add_logged_model(
        self, model_id: str, run_id: str, files: dict | None = None, metrics: list | None = None
    ) -> str:
        home = f"0/models/{model_id}/artifacts"
        self.logged_models[model_id] = {
            "info": {
                "model_id": model_id,
                "name": "model",
                "creation_timestamp_ms": {"m-old": 1, "m-new": 3}.get(model_id, 2),
                "source_run_id": run_id,
                "artifact_uri": f"mlflow-artifacts:/{home}",
                "tags": pairs({"controlplane.owner": self.owner}),
            },
            "data": {"params": [], "metrics": metrics or []},
        }
        if run := self.runs.get(run_id):
            outputs = run.setdefault("outputs", {"model_outputs": []})
            outputs["model_outputs"].append({"model_id": model_id, "step": "0"})
        self.write(home, FILES if files is None else files, run_id)
        return f"models:/{model_id}"

    def write(self, folder: str, files: dict, run_id: str) -> None:
        for name, content in files.items():
            place = self.artifacts / folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                content = content.replace("%(run_id)s", run_id).encode()
            place.write_bytes(content)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(tracking):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                parts = urlsplit(self.path)
                self.send(*tracking.answer(parts.path, parse_qs(parts.query)))

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send(503 if tracking.is_away else 200, {})

            def send(self, status, body):
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        return Handler

    def answer(self, path: str, query: dict) -> tuple[int, dict]:
        if self.is_away:
            return 503, {}
        if path.endswith("/runs/get"):
            run = self.runs.get(query.get("run_id", [""])[0])
            return (200, {"run": run}) if run else (404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})
        model = self.logged_models.get(path.rsplit("/", 1)[-1])
        return (200, {"model": model}) if model else (404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})


def pairs(values: dict) -> list[dict]:
    return [{"key": key, "value": value} for key, value in values.items()]
