"""controlplane_client against the installation."""

import hashlib
import http.server
import json
import os
import shutil
import threading

import pytest
from controlplane_client import ControlPlane, ControlPlaneError
from controlplane_client.downloads import placed

from registry.models import ModelVersion, RegisteredModel
from tests.pipelines.conftest import CONTRACT, parquet, table

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_folder_becomes_a_version_and_comes_back_byte_for_byte(plane, folder, tmp_path):
    sent, received = [], []
    plane.models.create("delays", tier="high", tags={"team": "ops"})
    version = plane.versions.register_folder("delays", folder, description="By hand.", on_sent=sent.append)
    assert version.status == "PENDING_REGISTRATION"
    version = plane.versions.wait(version, timeout=60)
    assert (version.status, version.version, version.description) == ("READY", 1, "By hand.")
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert sum(sent) == sum(map(len, files.values()))
    row = ModelVersion.objects.get()
    assert {each["path"]: each["sha256"] for each in row.manifest} == {
        path: hashlib.sha256(content).hexdigest() for path, content in files.items()
    }
    back = tmp_path / "back"
    plane.versions.download("delays", 1, back, on_received=received.append)
    assert {
        path.relative_to(back).as_posix(): path.read_bytes() for path in back.rglob("*") if path.is_file()
    } == files
    assert sum(received) == row.size
    (back / "MLmodel").write_text("damaged")
    plane.versions.download("delays", 1, back)
    assert (back / "MLmodel").read_bytes() == files["MLmodel"]
    job = plane.versions.verify("delays", 1, timeout=60)
    assert job.status == "succeeded"
    assert plane.versions.get("delays", 1).verified_at is not None
    assert plane.versions.manifest("delays", 1)["digest"] == f"sha256:{row.digest}"
    assert plane.versions.lineage("delays", 1)["run"]["id"] == row.run_id
    plane.models.set_alias("delays", "challenger", 1)
    plane.models.set_alias("delays", "challenger", 1)
    assert plane.models.get("delays").aliases == {"challenger": 1}
    with pytest.raises(ControlPlaneError) as refused:
        plane.models.set_alias("delays", "champion", 1)
    assert refused.value.status in {403, 409}


def test_a_folder_that_is_no_model_is_refused_before_anything_is_sent(plane, folder, tmp_path):
    plane.models.create("delays")
    of_a_run, linked, piped = (tmp_path / each for each in ("run", "linked", "piped"))
    shutil.copytree(folder, of_a_run)
    shutil.copytree(folder, piped)
    os.mkfifo(piped / "data" / "pipe")  # reading it would wait for ever
    shutil.copytree(folder, linked)
    with (of_a_run / "MLmodel").open("a") as file:
        file.write("run_id: 0123456789abcdef\n")
    (linked / "link").symlink_to("/etc/hostname")
    for unfit in (tmp_path / "nothing", of_a_run, linked, piped):
        with pytest.raises(ControlPlaneError) as refused:
            plane.versions.register_folder("delays", unfit)
        assert refused.value.code == "unfit_folder"
    assert not ModelVersion.objects.exists()


def test_lists_go_on_over_pages(plane, scientist, actor):
    from registry import services

    for number in range(105):
        services.create_model(actor=actor(scientist), name=f"model-{number:03}")
    assert [each.name for each in plane.models.list(sort="name")] == [
        f"model-{number:03}" for number in range(105)
    ]
    assert [each.name for each in plane.models.list(q="-104")] == ["model-104"]


def test_refusals_carry_the_problem_document(plane, secret_of, stranger):
    plane.models.create("delays")
    with pytest.raises(ControlPlaneError) as invalid:
        plane.models.create("a/b")
    assert (invalid.value.status, invalid.value.code) == (400, "invalid")
    assert invalid.value.errors[0]["pointer"] == "/name"
    assert invalid.value.request_id
    stale = plane.models.get("delays")
    plane.models.update("delays", description="First.")
    with pytest.raises(ControlPlaneError) as conflict:
        plane.models.update("delays", description="Second.", etag=stale.etag)
    assert conflict.value.status == 412
    assert plane.models.get("delays").description == "First."
    with ControlPlane(plane.url, secret_of(stranger)) as nobody:
        assert list(nobody.models.list()) == []
        with pytest.raises(ControlPlaneError) as unknown:
            nobody.models.get("delays")
        assert unknown.value.status == 404
    with ControlPlane(plane.url, "cp_wrong") as outside, pytest.raises(ControlPlaneError) as unauthenticated:
        outside.me()
    assert unauthenticated.value.status == 401


def test_tables_become_versions_that_their_contract_judges(plane, tmp_path):
    plane.datasets.ensure("flights", event_time_column="at", key_columns=["id"])
    good, bad = tmp_path / "good.parquet", tmp_path / "bad.parquet"
    good.write_bytes(parquet(table()))
    bad.write_bytes(parquet(table(hour=[5, 6, 7, 99])))
    first = plane.datasets.wait(plane.datasets.register("flights", good, label="2013-01"), timeout=60)
    assert (first.status, first.rows, first.label) == ("ready", 4, "2013-01")
    assert plane.datasets.register("flights", good).version == 1
    assert plane.datasets.set_contract("flights", CONTRACT).revision == 1
    assert plane.datasets.check("flights", 1, timeout=60).status == "passed"
    second = plane.datasets.wait(plane.datasets.register("flights", bad), timeout=60)
    assert (second.version, second.check.status) == (2, "failed")
    assert (
        plane.datasets.set_contract("flights", {**CONTRACT, "rows": {"min": 1}}, reason="Fewer.").revision
        == 2
    )
    assert [each.version for each in plane.datasets.versions("flights")] == [2, 1]


class Flaky(http.server.BaseHTTPRequestHandler):
    """A proxy in front of the installation whose first answers are its own 503, and that hangs up once."""

    target, seen, failures = "", [], 0

    def do_POST(self):
        import urllib.request

        body = self.rfile.read(int(self.headers["Content-Length"]))
        Flaky.seen.append((self.headers["Idempotency-Key"], body))
        request = urllib.request.Request(self.target + self.path, body, dict(self.headers), method="POST")
        with urllib.request.urlopen(request) as answer:
            status, content = answer.status, answer.read()
        if len(Flaky.seen) == 1:  # done, and the answer is lost
            self.close_connection = True
            return
        self.send_response(503 if len(Flaky.seen) == 2 else status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def test_a_call_whose_answer_was_lost_is_repeated_and_happens_once(installation, secret_of, scientist):
    Flaky.target, Flaky.seen = installation.url, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Flaky)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with ControlPlane(f"http://127.0.0.1:{server.server_port}", secret_of(scientist)) as client:
            assert client.models.create("delays").name == "delays"
    finally:
        server.shutdown()
    assert len(Flaky.seen) == 3
    assert len({key for key, _ in Flaky.seen}) == 1
    assert [json.loads(body) for _, body in Flaky.seen] == [{"name": "delays"}] * 3
    assert RegisteredModel.objects.count() == 1


def test_nothing_there_is_one_error_too():
    with ControlPlane("http://127.0.0.1:9", "cp_x") as client:
        client._transport.sleep = lambda seconds: None
        with pytest.raises(ControlPlaneError) as error:
            client.me()
    assert (error.value.status, error.value.code) == (0, "unreachable")


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/passwd", "a//b", "C:/x", "a\\..\\x", "nul\x00"])
def test_a_server_cannot_write_outside_the_folder(tmp_path, path):
    with pytest.raises(ControlPlaneError):
        placed(tmp_path, path)
