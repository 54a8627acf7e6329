"""A connection that dies half way through 100 MB: the next call sends only what had not arrived."""

import os
import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from controlplane_client import ControlPlane, ControlPlaneError

from registry.models import ModelVersion

pytestmark = pytest.mark.django_db(transaction=True)
MB = 1 << 20
CHUNK = 1 << 16


class Wire:
    """A way to the installation that counts what is sent and dies after ``budget`` bytes."""

    def __init__(self, url, budget=None):
        self.target, self.budget, self.sent = urlsplit(url), budget, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def is_dead(self):
        return self.budget is not None and self.sent >= self.budget

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.is_dead:
                near.close()
                continue
            far = socket.create_connection((self.target.hostname, self.target.port))
            for source, drain, counts in ((near, far, True), (far, near, False)):
                threading.Thread(target=self.pass_on, args=(source, drain, counts), daemon=True).start()

    def pass_on(self, source, drain, counts):
        with suppress(OSError):
            while content := source.recv(CHUNK):
                if counts:
                    self.sent += len(content)
                    if self.is_dead:
                        break
                drain.sendall(content)
        for each in (source, drain):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()


def test_a_cut_upload_goes_on_where_it_broke(installation, plane, secret_of, scientist, folder):
    token, content = secret_of(scientist), os.urandom(MB) * 100
    (folder / "weights.bin").write_bytes(content)
    plane.models.create("delays")
    wires = [Wire(installation.url, 50 * MB), Wire(installation.url)]
    sent = []
    with ControlPlane(wires[0].url, token) as cut:
        cut._transport.sleep = lambda _: None
        with pytest.raises(ControlPlaneError) as broken:
            cut.versions.register_folder("delays", folder)
        assert broken.value.code == "unreachable"
    assert not ModelVersion.objects.exists()
    with ControlPlane(wires[1].url, token) as whole:
        version = whole.versions.register_folder("delays", folder, on_sent=sent.append)
        version = whole.versions.wait(version, timeout=120)
    assert version.status == "READY", version.status_message
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert sum(sent) == total
    # The part that was cut is sent once more, and requests have heads.
    assert wires[1].sent < total - 50 * MB + 6 * MB, wires[1].sent
    for wire in wires:
        wire.close()
