"""A local MLflow model folder to the installation, in parts, so that a cut upload goes on where it broke."""

from __future__ import annotations

import hashlib
import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from controlplane_client.errors import ControlPlaneError
from controlplane_client.transport import API, Transport

MLFLOW = "/api/2.0/mlflow"
OUT_OF_ORDER = "part_out_of_order"
# MLflow's own; everybody may add runs, and sees only their own.
SHARED_EXPERIMENT = "0"
RUN_ID = re.compile(r"^run_id: *['\"]?([A-Za-z0-9_-]+)", re.MULTILINE)
# Controls, what is not seen or turns direction, and bytes that are not UTF-8.
NOT_IN_NAMES = {"Cc", "Cf", "Cs"}
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
    for path in found:
        _require_plain(path.relative_to(folder).as_posix())
    return found


def _require_plain(name: str) -> None:
    """Told before anything is hashed or sent, and in letters that a terminal shows as they are."""
    odd = next((each for each in name if each == "\\" or unicodedata.category(each) in NOT_IN_NAMES), None)
    if odd is not None:
        what = "bytes that are not UTF-8" if unicodedata.category(odd) == "Cs" else f"U+{ord(odd):04X}"
        raise _unfit(f"The name of the file {name!a} holds {what}; rename it.")


def upload_folder(
    transport: Transport, folder: Path, *, model: str, experiment: str | None, on_sent: Sent | None = None
) -> Uploaded:
    """The folder's files on the server, and a finished run that says they were uploaded.

    Begun again with the same files, it sends only what has not arrived.
    """
    paths = {_name(path, folder): path for path in files_of(folder)}
    files = [
        {"path": name, "size": path.stat().st_size, "sha256": _sha256(path)} for name, path in paths.items()
    ]
    uploads = f"{API}models/{quote(model, safe='')}/uploads"
    upload = transport.json("POST", uploads, json={"files": files})
    for number, file in enumerate(upload["files"]):
        parts = f"{uploads}/{upload['id']}/files/{number}/parts"
        _send(transport, parts, paths[file["path"]], file, upload["part_bytes"], on_sent)
    run_id = _new_run(transport, experiment, model)["run_id"]
    _end_run(transport, run_id, "FINISHED")
    return Uploaded(run_id, upload["source"])


def _send(
    transport: Transport, parts: str, path: Path, file: dict[str, Any], most: int, on_sent: Sent | None
) -> None:
    """One file from where it broke off; the server says after each part how much it has."""
    received, said = file["received"], 0
    with path.open("rb") as source:
        while received < file["size"]:
            _say(on_sent, received - said)
            said = received
            source.seek(received)
            received = _sent_part(transport, f"{parts}/{received}", source.read(most))
    _say(on_sent, received - said)


def _sent_part(transport: Transport, address: str, content: bytes) -> int:
    headers = {"Content-Type": "application/octet-stream"}
    try:
        answer = transport.call("PUT", address, content=content, headers=headers).json()
    except ControlPlaneError as error:
        # Another process sends the same folder: go on from where the server is.
        if error.code != OUT_OF_ORDER:
            raise
        answer = error.problem
    return int(answer["received"])


def _say(on_sent: Sent | None, count: int) -> None:
    if on_sent and count:
        on_sent(count)


def _name(path: Path, folder: Path) -> str:
    """As the server keeps it."""
    return unicodedata.normalize("NFC", path.relative_to(folder).as_posix())


def _sha256(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


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


def _now() -> int:
    return int(time.time() * 1000)


def _unfit(detail: str) -> ControlPlaneError:
    return ControlPlaneError({"code": "unfit_folder", "title": "Unfit folder", "detail": detail})
