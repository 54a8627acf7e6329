"""A connection that dies on the way down: the same call, or the next, fetches only what is missing."""

import hashlib
import os
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from controlplane_client import ControlPlane, ControlPlaneError, File
from controlplane_client.downloads import fetch

from registry.models import ModelVersion
from tests.registry.test_registering_models import events
from tests.tampering import digest_in, overwrite

pytestmark = pytest.mark.django_db(transaction=True)
MB = 1 << 20
CONTENT = os.urandom(MB) * 12
FILE = "/api/v1/models/delays/versions/1/files/weights.bin"


class Cuts:
    """A way to the installation whose connections die, one after another, after so many bytes."""

    def __init__(self, url, budgets):
        self.target, self.budgets, self.received = urlsplit(url), iter(budgets), 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection((self.target.hostname, self.target.port))
            budget = next(self.budgets)
            threading.Thread(target=self.pass_on, args=(near, far, float("inf")), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(far, near, budget, True), daemon=True).start()

    def pass_on(self, source, drain, budget, counts=False):
        with suppress(OSError):
            while budget > 0 and (content := source.recv(1 << 16)):
                budget -= len(content)
                self.received += len(content) if counts else 0
                drain.sendall(content)
        for each in (source, drain):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def through(installation, secret_of, scientist):
    """``through(8 * MB, …)``: a client over such a way; what comes after the last budget is whole."""
    made = []

    def of(*budgets, then=float("inf")):
        wire = Cuts(installation.url, chain(budgets, repeat(then)))
        client = ControlPlane(wire.url, secret_of(scientist))
        client._transport.sleep = lambda _: None
        made.append((wire, client))
        return wire, client

    yield of
    for wire, client in made:
        client.close()
        wire.listener.close()


@pytest.fixture
def registered(plane, folder):
    (folder / "weights.bin").write_bytes(CONTENT)
    plane.models.create("delays")
    return plane.versions.wait(plane.versions.register_folder("delays", folder), timeout=120)


def test_a_cut_download_goes_on_where_it_broke(registered, through, tmp_path):
    wire, client = through(5 * MB, 4 * MB)
    said = []
    client.versions.download("delays", 1, tmp_path / "once", on_received=said.append)
    assert (tmp_path / "once" / "weights.bin").read_bytes() == CONTENT
    assert sum(said) == registered.size
    assert wire.received < 12 * MB + 6 * MB

    _, client = through(8 * MB, then=0)
    with pytest.raises(ControlPlaneError) as broken:
        client.versions.download("delays", 1, tmp_path / "twice")
    assert broken.value.code == "unreachable"
    [left] = (tmp_path / "twice").glob(".*.part")
    size = left.stat().st_size
    assert 4 * MB < size < 9 * MB
    wire, client = through()
    client.versions.download("delays", 1, tmp_path / "twice")
    assert (tmp_path / "twice" / "weights.bin").read_bytes() == CONTENT
    assert wire.received < 8 * MB
    assert list((tmp_path / "twice").glob(".*.part")) == []
    parts = [each["after"].get("part") for each in events("registry.file_downloaded")]
    assert f"bytes {size}-{len(CONTENT) - 1}/{len(CONTENT)}" in parts


def test_a_beginning_that_is_not_the_files_is_fetched_again(registered, through, tmp_path):
    _, client = through(8 * MB, then=0)
    with pytest.raises(ControlPlaneError):
        client.versions.download("delays", 1, tmp_path)
    [left] = tmp_path.glob(".*.part")
    left.write_bytes(b"x" * left.stat().st_size)
    _, client = through()
    client.versions.download("delays", 1, tmp_path)
    assert (tmp_path / "weights.bin").read_bytes() == CONTENT


def test_bytes_that_were_changed_in_the_store_never_arrive_as_a_whole(
    registered, installation, plane, secret_of, scientist, tmp_path, monkeypatch
):
    """With the bytes alone, over our own client, and over MLflow's."""
    import mlflow

    version = ModelVersion.objects.get()
    overwrite(digest_in(version, "weights.bin"), CONTENT[:-1] + b"x")
    signed_in = {"Authorization": f"Bearer {secret_of(scientist)}"}
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        httpx.get(f"{installation.url}{FILE}", headers=signed_in, timeout=60)
    version.refresh_from_db()
    assert "stored bytes hash to" in version.integrity_failure
    assert len(events("registry.integrity_broken")) == 1
    with pytest.raises(ControlPlaneError) as refused:
        plane.versions.download("delays", 1, tmp_path / "ours")
    assert refused.value.code == "digest_mismatch"
    assert not (tmp_path / "ours" / "weights.bin").exists()

    ModelVersion.objects.update(integrity_failure="")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", installation.url)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", secret_of(scientist))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    mlflow.set_tracking_uri(None)
    (tmp_path / "theirs").mkdir()
    with pytest.raises(mlflow.MlflowException):
        mlflow.artifacts.download_artifacts("models:/delays/1", dst_path=str(tmp_path / "theirs"))
    version.refresh_from_db()
    assert not version.is_intact
    assert not [each for each in Path(tmp_path / "theirs").rglob("weights.bin") if each.stat().st_size == len(CONTENT)]  # fmt: skip


def test_what_the_object_store_hands_out_is_fetched_there_without_the_token(tmp_path):
    """Signed addresses refuse a second credential, and know the file by another ETag."""
    asked = []

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.headers)
            is_store = self.server is store
            start = int((self.headers["Range"] or "bytes=0-")[6:-1])
            self.send_response((206 if start else 200) if is_store else 307)
            if is_store:
                self.send_header("Content-Length", str(len(CONTENT) - start))
            else:
                self.send_header("Location", f"http://127.0.0.1:{store.server_port}/object?signed")
            self.end_headers()
            if is_store:
                self.wfile.write(CONTENT[start:])

        def log_message(self, *_):
            pass

    ours, store = (ThreadingHTTPServer(("127.0.0.1", 0), Asked) for _ in range(2))
    for each in (ours, store):
        threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    file = File(path="weights.bin", size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())
    (tmp_path / f".{file.sha256[:32]}.part").write_bytes(CONTENT[:1000])
    with ControlPlane(f"http://127.0.0.1:{ours.server_port}", "cp_token") as client:
        assert fetch(client._transport, "/files", file, tmp_path).read_bytes() == CONTENT
    first, second = asked
    assert (first["Authorization"], first["If-Range"]) == ("Bearer cp_token", f'"{file.sha256}"')
    assert (second["Authorization"], second["If-Range"], second["Range"]) == (None, None, "bytes=1000-")
    for each in (ours, store):
        each.shutdown()
        each.server_close()
