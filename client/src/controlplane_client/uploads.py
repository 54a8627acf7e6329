"""A local MLflow model folder to a run of the installation, by the calls an MLflow client makes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from controlplane_client.errors import ControlPlaneError
from controlplane_client.transport import Transport

MLFLOW = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
PLACE = "model"
# MLflow's own; everybody may add runs, and sees only their own.
SHARED_EXPERIMENT = "0"
RUN_ID = re.compile(r"^run_id: *['\"]?([A-Za-z0-9_-]+)", re.MULTILINE)
CHUNK = 1 << 20
Sent = Callable[[int], None]


@dataclass(frozen=True)
class Uploaded:
    run_id: str
    source: str


def files_of(folder: Path) -> list[Path]:
    """The files to send; a folder unfit to be a version is refused before anything is sent."""
    if not (folder / "MLmodel").is_file():
        raise _unfit(f"{folder} holds no file MLmodel, so it is no MLflow model folder.")
    if made_by := RUN_ID.search((folder / "MLmodel").read_text(errors="replace")):
        run = made_by[1]
        raise _unfit(f"{folder} was made by the run {run}; register it from there, as runs:/{run}/<path>.")
    found = sorted(path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    if links := [path for path in found if path.is_symlink()]:
        raise _unfit(f"{links[0]} is a link; a version holds plain files.")
    if odd := [path for path in found if not path.is_file()]:
        raise _unfit(f"{odd[0]} is a pipe, a socket or a device; a version holds plain files.")
    return found


def upload_folder(
    transport: Transport, folder: Path, *, experiment: str | None, name: str, on_sent: Sent | None = None
) -> Uploaded:
    """A finished run that holds the folder's files below ``model``; FAILED if the upload breaks off."""
    files = files_of(folder)
    run = _new_run(transport, experiment, name)
    run_id = run["run_id"]
    base = f"{ARTIFACTS}/{_below_root(run['artifact_uri'])}/{PLACE}"
    try:
        for path in files:
            relative = path.relative_to(folder).as_posix()
            content = _Content(path, on_sent)
            headers = {"Content-Length": str(path.stat().st_size), "Content-Type": "application/octet-stream"}
            transport.call("PUT", f"{base}/{quote(relative)}", content=content, headers=headers)
    except BaseException:
        _end_run(transport, run_id, "FAILED")
        raise
    _end_run(transport, run_id, "FINISHED")
    return Uploaded(run_id, f"runs:/{run_id}/{PLACE}")


class _Content:
    """The bytes of a file, from the start each time they are asked for: a repeated PUT sends all."""

    def __init__(self, path: Path, on_sent: Sent | None) -> None:
        self.path, self.on_sent = path, on_sent

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as source:
            while chunk := source.read(CHUNK):
                yield chunk
                if self.on_sent:
                    self.on_sent(len(chunk))


def _new_run(transport: Transport, experiment: str | None, name: str) -> dict[str, Any]:
    body = {
        "experiment_id": _experiment_id(transport, experiment),
        "run_name": f"{name} (uploaded)",
        "start_time": _now(),
        "tags": [{"key": "mlflow.source.name", "value": "cplane"}],
    }
    info: dict[str, Any] = transport.json("POST", f"{MLFLOW}/runs/create", json=body)["run"]["info"]
    return info


def _experiment_id(transport: Transport, name: str | None) -> str:
    if name is None:
        return SHARED_EXPERIMENT
    query = {"experiment_name": name}
    try:
        known = transport.json("GET", f"{MLFLOW}/experiments/get-by-name", params=query)
        return str(known["experiment"]["experiment_id"])
    except ControlPlaneError as error:
        if error.status != 404:
            raise
    return str(transport.json("POST", f"{MLFLOW}/experiments/create", json={"name": name})["experiment_id"])


def _end_run(transport: Transport, run_id: str, status: str) -> None:
    body = {"run_id": run_id, "status": status, "end_time": _now()}
    transport.call("POST", f"{MLFLOW}/runs/update", json=body)


def _below_root(address: str) -> str:
    """``mlflow-artifacts:/0/<run>/artifacts`` as the path that artifacts are sent to."""
    scheme, _, path = address.partition(":")
    if scheme != "mlflow-artifacts":
        raise _unfit(f"The run's artifacts are at {address}, which this client cannot write.")
    return quote(path.lstrip("/"))


def _now() -> int:
    return int(time.time() * 1000)


def _unfit(detail: str) -> ControlPlaneError:
    return ControlPlaneError({"code": "unfit_folder", "title": "Unfit folder", "detail": detail})
