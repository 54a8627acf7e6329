"""A registry is brought over from a real MLflow server: once, resumed, and with a report of the rest."""

import hashlib
import io
import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.services import issue_token
from controlplane.stack.places import free_port
from core.actors import Actor
from core.object_store import store
from registry import services
from registry.imports import server as server_module
from registry.imports.management.commands import import_mlflow
from registry.imports.models import ImportedModel, ImportedVersion
from registry.models import ModelAlias, ModelVersion, RegisteredModel
from tests.mlflow_api.peer import Peer
from tests.registry.mlflow_source import ODD, fill
from tests.registry.test_registering_models import events
from tests.registry.tracking import FILES

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """MLflow's own server with a registry in it, filled by MLflow's own client."""
    folder = tmp_path_factory.mktemp("source")
    running = Peer(free_port(), folder).start()
    running.url = f"http://127.0.0.1:{running.port}"
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
            fill(running, folder)
        yield running
    finally:
        running.stop()


@pytest.fixture
def bring(source, scientist, tmp_path):
    """``bring("--dry-run")``: the command, and its report as JSON and as text."""

    def run(*options):
        out, file = io.StringIO(), tmp_path / "report.json"
        call_command(
            "import_mlflow", "--uri", source.url, "--owner", "scientist", "--report", str(file), *options, stdout=out
        )  # fmt: skip
        return json.loads(file.read_text()), out.getvalue()

    return run


def outcomes(report, kind):
    return {entry["name"]: entry["outcome"] for entry in report["entries"] if entry["kind"] == kind}


def why(report, name):
    [note] = [entry["note"] for entry in report["entries"] if entry["name"] == name and entry["note"]]
    return note


def test_a_registry_comes_with_all_that_may_come(
    source, bring, scientist, stranger, token_client, client_for, monkeypatch
):
    monkeypatch.setattr(server_module, "PAGE", 1)  # so that pages are followed
    services.create_model(actor=Actor.command_line(), name="taken")
    report, text = bring()

    assert outcomes(report, "model") == {
        "copies": "came", "delays": "came", "elsewhere": "came", "fares": "came", "taken": "could_not_come",
        ODD: "could_not_come",
    }  # fmt: skip
    assert outcomes(report, "version") == {
        "delays v1": "came", "delays v3": "came", "delays v4": "came", "copies v1": "came", "fares v1": "came",
        "elsewhere v1": "could_not_come", "greeting v1": "came", "greeting v2": "came",
    }  # fmt: skip
    assert "did not come from this server" in why(report, "taken")
    assert "s3://a-bucket/model" in why(report, "elsewhere v1")
    assert not RegisteredModel.objects.get(name="taken").versions.exists()

    model = RegisteredModel.objects.get(name="delays")
    assert (model.description, model.owner) == ("Delays of flights.", scientist.person)
    assert list(model.tags.values_list("key", "value")) == [("team", "ops")]
    assert model.next_number == 5

    first = model.versions.get(number=1)
    assert first.status == "READY"
    assert first.description == "The first."
    assert list(first.tags.values_list("key", "value")) == [("checked", "yes")]
    assert (first.parameters, first.metrics) == ({"depth": "3"}, {"roc_auc": 0.75})
    assert first.code_commit == "4be07d2a"
    assert first.run["name"] == "training"
    assert first.run["server"] == source.url
    assert first.run["id"] == source.runs[0]
    assert first.run["tags"]["mlflow.source.git.commit"] == "4be07d2a"
    assert first.run["started_at_ms"] and first.run["ended_at_ms"]
    assert first.run_link.endswith(f"/runs/{source.runs[0]}")
    assert first.run_id == ""  # an id of another server gives no right to a run of ours
    assert {"python_function", "sklearn"} <= set(first.flavours)
    assert "pickle" in first.format_warning
    assert [column["name"] for column in first.signature["inputs"]] == ["carrier", "temp"]
    entries = {entry["path"]: entry for entry in first.manifest}
    odd = entries["data with space/50% off é.bin"]
    assert odd["sha256"] == hashlib.sha256(b"\x00" * 3_000_000).hexdigest()
    with store().open(entries["model.pkl"]["sha256"]) as content:
        assert content.read() == FILES["model.pkl"]

    assert model.versions.get(number=3).stage == "Staging"
    last = model.versions.get(number=4)
    assert last.stage == "None"
    assert last.metrics == {"roc_auc": 0.75}
    assert "deleted on the server" in why(report, "run of delays v4")
    assert outcomes(report, "stage") == {
        "Staging of delays v3": "came",
        "Production of delays v4": "could_not_come",
    }

    assert list(model.aliases.values_list("name", "version__number")) == [("best", 1)]
    assert "points at version 3" in why(report, "champion of delays")
    assert "Request a promotion of delays v3" in why(report, "champion of delays")
    assert "champion of delays" in text
    assert "U+001B" in why(report, ODD)
    assert "\x1b" not in text

    copy = ModelVersion.objects.get(model__name="copies")
    assert (copy.digest, copy.parent) == (first.digest, first)
    logged = ModelVersion.objects.get(model__name="fares")
    assert (logged.metrics, logged.source.startswith("models:/m-")) == ({"mae": 4.5}, True)
    assert "sklearn" in logged.flavours

    imported = [event["after"]["server"] for event in events("registry.model_imported")]
    assert imported == [source.url] * 5
    assert {event["actor"]["via"] for event in events("registry.version_created")} == {"cli"}
    address = "/api/v1/models/delays/versions/1"
    assert token_client(scientist).get(address).json()["status"] == "READY"
    assert token_client(stranger).get(address).status_code == 404
    page = client_for(scientist).get("/models/delays/versions/1/")
    assert page.status_code == 200
    shown = page.content.decode()
    assert f'Imported from</dt><dd class="mono">{source.url}' in shown
    assert source.runs[0][:8] in shown


def test_a_dry_run_says_the_same_and_writes_nothing(bring, tmp_path):
    report, text = bring("--dry-run")
    assert report["dry_run"] is True
    assert outcomes(report, "version")["delays v1"] == "came"
    assert outcomes(report, "version")["elsewhere v1"] == "could_not_come"
    assert outcomes(report, "alias") == {
        "best of delays": "came", "champion of delays": "could_not_come", "polite of greeting": "came",
    }  # fmt: skip
    assert report["bytes"] > 3 * 3_000_000
    assert "Nothing was written" in text
    for table in (RegisteredModel, ModelVersion, ImportedModel, ImportedVersion):
        assert not table.objects.exists()
    assert not list((tmp_path / "artifacts").rglob("*"))
    assert not events("registry.model_imported")
    really, _ = bring()
    for kind in ("model", "version", "run", "alias", "stage", "tag"):
        assert outcomes(really, kind) == outcomes(report, kind)
    assert really["bytes"] == report["bytes"]


def test_an_interrupted_import_goes_on_where_it_stopped(bring, scientist, actor, monkeypatch):
    def press_control_c(text):
        if text.startswith("delays v3: Hashing"):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(import_mlflow, "_progress", lambda: nullcontext(press_control_c))
        with pytest.raises(CommandError, match="Interrupted; run the same command again"):
            bring("--model", "delays")
    first = ModelVersion.objects.get()
    assert (first.number, first.status) == (1, "READY")
    services.update_version(actor=actor(scientist), version=first, description="Changed here.")

    report, _ = bring("--model", "delays")
    assert outcomes(report, "model") == {"delays": "here_already"}
    assert outcomes(report, "version") == {
        "delays v1": "here_already",
        "delays v3": "came",
        "delays v4": "came",
    }
    first.refresh_from_db()
    assert first.description == "Changed here."
    assert ModelAlias.objects.get().name == "best"

    services.delete_alias(actor=actor(scientist), model=first.model, alias="best")
    before = list(ModelVersion.objects.order_by("pk").values())
    again, _ = bring("--model", "delays")
    assert "came" not in {entry["outcome"] for entry in again["entries"]}
    assert "removed here since" in why(again, "best of delays")
    assert list(ModelVersion.objects.order_by("pk").values()) == before
    assert not ModelAlias.objects.exists()


def test_a_prompt_comes_with_its_text(bring):
    rehearsed, _ = bring("--dry-run", "--model", "greeting")
    report, _ = bring("--model", "greeting")
    assert report["counts"] == rehearsed["counts"]
    assert outcomes(report, "prompt") == {"greeting": "came"}
    second = ModelVersion.objects.get(number=2)
    assert second.tags.get(key="mlflow.prompt.text").value == "Say hello to {{name}}."
    assert [entry["path"] for entry in second.manifest] == ["prompt.json"]
    assert second.aliases.get().name == "polite"
    again, _ = bring("--model", "greeting")
    assert "came" not in {entry["outcome"] for entry in again["entries"]}


def test_a_model_deleted_here_does_not_come_back(bring, scientist, actor):
    bring("--model", "fares")
    model = RegisteredModel.objects.get(name="fares")
    services.delete_model(actor=actor(scientist), model=model, reason="Not wanted.")
    report, _ = bring("--model", "fares")
    assert "deleted here since" in why(report, "fares")
    assert not RegisteredModel.objects.existing().exists()


def test_a_number_taken_here_meanwhile_is_said(bring, make_row):
    bring("--model", "delays")
    model = RegisteredModel.objects.get(name="delays")
    fourth = ImportedVersion.objects.get(number=4)
    fourth.delete()  # as if an import had stopped before it, and somebody had registered the next version
    report, _ = bring("--model", "delays")
    assert why(report, "delays v4") == "It is version 5 here."
    assert model.versions.count() == 4


def test_a_version_whose_run_is_gone_comes_without_its_facts(source, bring):
    import sqlite3

    with sqlite3.connect(Path(source.folder) / "peer.db") as database:
        database.execute("PRAGMA busy_timeout = 5000")
        database.execute("UPDATE model_versions SET run_id = 'gone' WHERE name = 'taken'")
    report, _ = bring("--model", "taken")
    version = ModelVersion.objects.get()
    assert (version.status, version.parameters) == ("READY", {})
    assert "run gone is gone" in why(report, "run of taken v1")


def test_a_server_that_dies_on_the_way_is_gone_on_with_later(source, bring, monkeypatch, tmp_path):
    def pull_the_plug(text):
        if text.startswith("delays v3: Hashing: 2 files"):
            source.stop()

    with monkeypatch.context() as patch:
        patch.setattr(import_mlflow, "_progress", lambda: nullcontext(pull_the_plug))
        with pytest.raises(CommandError, match=r"does not answer: ConnectError\. Run the same command again"):
            bring("--model", "delays")
    stopped = json.loads((tmp_path / "report.json").read_text())
    assert outcomes(stopped, "version") == {"delays v1": "came"}
    assert "does not answer" in stopped["stopped"]
    assert ModelVersion.objects.get().status == "READY"
    source.start()
    report, _ = bring("--model", "delays")
    assert report["counts"]["version"] == {"came": 2, "here_already": 1, "could_not_come": 0}
    assert report["stopped"] is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--uri", "ftp://x"], "--uri must be an address"),
        (["--uri", "http://name:secret@127.0.0.1"], "no password"),
        (["--uri", "http://127.0.0.1:1"], "does not answer"),
        (["--owner", "nobody"], "There is no active account named nobody."),
        (["--model", "nope"], "has no registered model named nope"),
        (["--token-file", "/nowhere"], "cannot be read"),
        (["--report", "/nowhere/report.json"], "is in no folder"),
    ],
)
def test_an_error_is_one_sentence(source, scientist, options, sentence):
    words = ["--uri", source.url, "--owner", "scientist", *options]
    with pytest.raises(CommandError, match=sentence):
        call_command("import_mlflow", *words, stdout=io.StringIO())
    assert not RegisteredModel.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_server_that_asks_who_calls_is_answered_from_a_file(
    live_server, make_model, scientist, actor, tmp_path
):
    """This installation speaks MLflow's API and asks for a token, so it can be the server, too."""
    make_model("mine")
    _, secret = issue_token(actor=actor(scientist), account=scientist, name="import", scopes=["all"])
    words = ["--uri", live_server.url, "--owner", "scientist"]
    with pytest.raises(CommandError, match=r"refuses the call \(401\); give a token"):
        call_command("import_mlflow", *words, stdout=io.StringIO())
    (tmp_path / "token").write_text(f"{secret}\n")
    out = io.StringIO()
    call_command("import_mlflow", *words, "--token-file", str(tmp_path / "token"), stdout=out)
    assert "did not come from this server" in " ".join(out.getvalue().split())
    assert secret not in out.getvalue()
