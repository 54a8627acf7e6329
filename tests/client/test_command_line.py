"""cplane against the installation: what people type, what they see, and the exit codes."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from controlplane_client import ControlPlane, ControlPlaneError

from registry import services
from registry.models import ModelVersion
from tests.pipelines.conftest import CONTRACT, parquet, table

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
DONE, FAILED, USAGE, GATE_FAILED, WAITING, REFUSED, CONFLICT = range(7)


def test_a_scientists_day(signed_in, scientist, folder, tmp_path):
    cplane = signed_in(scientist)
    made = cplane(
        "versions", "register", "delays", folder, "--create", "--tag", "team=ops", "--wait", "-o", "json"
    )
    assert made.code == DONE, made.err
    assert (made.data["version"], made.data["status"], made.data["tags"]) == (1, "READY", {"team": "ops"})
    (folder / "requirements.txt").write_text("scikit-learn==1.9.1\n")
    again = cplane("versions", "register", "delays", folder, "--wait", "--quiet")
    assert (again.code, again.out, again.err) == (DONE, "2\n", "")
    copied = ("--source", "models:/delays/1", "--tag", "team=ops")
    third = cplane("versions", "register", "delays", *copied, "--wait", "-q")
    assert (third.code, third.out) == (DONE, "3\n")

    listed = cplane("models", "list")
    assert listed.out.split()[:6] == ["NAME", "LATEST", "ALIASES", "TIER", "OWNER", "UPDATED"]
    assert listed.out.splitlines()[1].split()[:2] == ["delays", "3"]
    assert cplane("models", "list", "-q").out == "delays\n"
    assert yaml.safe_load(cplane("models", "show", "delays", "-o", "yaml").out)["name"] == "delays"
    shown = cplane("versions", "show", "delays", "latest")
    assert "READY" in shown.out
    assert "models:/delays/1" in shown.out
    assert [each["version"] for each in cplane("versions", "list", "delays", "-o", "json").data] == [3, 2, 1]

    differs = cplane("versions", "diff", "delays", "v1", "2", "-o", "json").data["differences"]
    assert {"what": "requirement", "name": "scikit-learn", "a": "==1.9.0", "b": "==1.9.1"} in differs
    assert [each["name"] for each in differs if each["what"] == "file"] == ["requirements.txt"]
    assert "do not differ" in cplane("versions", "diff", "delays", "1", "3").err

    compared = cplane("compare", "delays", "v1", "latest")
    assert compared.code == DONE and "are not subtracted" in compared.err, compared
    told = cplane("compare", "delays", "1", "2", "-o", "json").data
    assert (told["comparable"], told["a"]["version"], told["b"]["version"]) == (False, 1, 2)
    assert ["requirement", "scikit-learn", "1.9.0", "1.9.1", "changed"] in [
        line.split() for line in cplane("compare", "delays", "1", "2").out.splitlines()
    ]
    assert cplane("compare", "delays", "1", "77").code == FAILED

    target = tmp_path / "down"
    fetched = cplane("versions", "download", "delays", "1", "-d", target)
    assert (fetched.code, fetched.out.strip()) == (DONE, str(target))
    assert (target / "model.pkl").read_bytes() == (folder / "model.pkl").read_bytes()
    assert cplane("versions", "verify", "delays", "1").code == DONE


def test_what_was_tampered_with_is_said_so(signed_in, scientist, folder, settings):
    cplane = signed_in(scientist)
    made = cplane("versions", "register", "delays", folder, "--create", "--wait", "-o", "json")
    assert made.code == DONE, made.err
    digest = next(each["sha256"] for each in ModelVersion.objects.get().manifest if each["path"] == "MLmodel")
    [kept] = [
        path
        for path in Path(settings.ARTIFACT_ROOT).rglob("*")
        if path.name == digest or path.name == digest[2:]
    ]
    kept.chmod(0o644)
    kept.write_text("other")
    found = cplane("versions", "verify", "delays", "1")
    assert found.code == FAILED
    assert "is not what was registered" in found.err
    fetched = cplane("versions", "download", "delays", "1", "-d", settings.ARTIFACT_ROOT + "/x")
    assert fetched.code in {FAILED, CONFLICT}  # refused there, or by the digest here


def test_a_table_that_breaks_its_contract_ends_with_3(signed_in, scientist, tmp_path, actor):
    from pipelines.models import Dataset
    from pipelines.services import set_contract

    cplane = signed_in(scientist)
    good, bad = tmp_path / "good.parquet", tmp_path / "bad.parquet"
    good.write_bytes(parquet(table()))
    bad.write_bytes(parquet(table(hour=[5, 6, 7, 99])))
    options = ["--create", "--event-time", "at", "--key", "id", "--wait"]
    first = cplane("datasets", "register", "flights", good, "--label", "2013-01", *options)
    assert first.code == DONE, first.err
    assert "2013-01" in first.out
    set_contract(
        actor=actor(scientist), dataset=Dataset.objects.get(), document=CONTRACT, expected_revision=0
    )
    assert cplane("datasets", "check", "flights", "1", "-q").out == "passed\n"
    second = cplane("datasets", "register", "flights", bad, "--wait", "-q")
    assert (second.code, second.out) == (GATE_FAILED, "2\n")
    assert cplane("datasets", "check", "flights", "2").code == GATE_FAILED
    assert cplane("datasets", "show", "flights", "-q").out == "2\n1\n"
    shown = cplane("datasets", "show", "flights", "1").out
    assert "hour" in shown
    assert '[{"role": "training", "dataset": "flights", "version": 1}]' in shown
    assert cplane("datasets", "list", "-q").out == "flights\n"


def test_the_exit_code_says_why(signed_in, cplane, scientist, stranger, actor):
    assert cplane("models", "list").code == REFUSED
    signed_in(scientist)
    services.create_model(actor=actor(scientist), name="delays")
    assert cplane("models", "show", "nothing").code == FAILED
    assert cplane("models", "show").code == USAGE
    for words in (("models", "show", ""), ("models", "show", ".."), ("versions", "list", " ")):
        assert cplane(*words).code == USAGE
    assert cplane("datasets", "contract", "").code == USAGE
    assert cplane("models", "list", "--tier", "extreme").code == USAGE
    assert cplane("versions", "register", "delays").code == USAGE
    assert cplane("versions", "register", "delays", "--source", "/etc/passwd").code == USAGE
    assert cplane("versions", "show", "delays", "@champion").code == FAILED
    assert cplane("request", "open", "delays", "7", "--why", "x").code == FAILED
    signed_in(stranger)
    assert cplane("models", "show", "delays").code == FAILED
    assert cplane("models", "list", "-q").out == ""


def test_a_token_is_kept_for_its_owner_alone(signed_in, cplane, installation, secret_of, scientist, tmp_path):
    assert cplane("login", "http://controlplane.example.org", "--token-stdin", stdin="cp_x\n").code == USAGE
    assert cplane("login", installation.url, "--token-stdin", stdin="hello\n").code == REFUSED
    assert cplane("login", installation.url, "--token-stdin", stdin="cp_wrong\n").code == REFUSED
    kept = tmp_path / "configuration" / "config.json"
    assert not kept.exists()
    signed_in(scientist)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert cplane("whoami", "-q").out == "scientist\n"
    kept.chmod(0o644)
    refused = cplane("whoami")
    assert refused.code == REFUSED
    assert "chmod 600" in refused.err
    kept.chmod(0o600)
    assert cplane("logout").code == DONE
    assert "cp_" not in kept.read_text()
    assert cplane("whoami").code == REFUSED


@pytest.mark.parametrize("address", ["127.0.0.1:9", "ftp://127.0.0.1"])
def test_an_address_that_is_none_is_named(cplane, monkeypatch, address):
    monkeypatch.setenv("CPLANE_URL", address)
    monkeypatch.setenv("CPLANE_TOKEN", "cp_secret")
    wrong = cplane("models", "list")
    assert (wrong.code, "begins with http:// or https://" in wrong.err) == (USAGE, True)


@pytest.mark.parametrize("secret", ["cp_s3cret\nx", "cp_s3crét", "s3cret", "cp_s3\x1bcret", "cp_s3 cret"])
def test_no_refusal_shows_the_token(cplane, monkeypatch, secret):
    monkeypatch.setenv("CPLANE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("CPLANE_TOKEN", secret)
    for words in (("models", "list"), ("whoami",), ("doctor",)):
        refused = cplane(*words)
        assert refused.code in {REFUSED, FAILED}
        assert "s3" not in refused.out + refused.err, refused.err
    with pytest.raises(ControlPlaneError) as error:
        ControlPlane("http://127.0.0.1:9", "cp_s3cr\net").me()
    assert "s3" not in error.value.detail


def test_a_token_may_end_with_a_line(installation, secret_of, scientist, cplane, monkeypatch):
    monkeypatch.setenv("CPLANE_URL", installation.url)
    monkeypatch.setenv("CPLANE_TOKEN", f" {secret_of(scientist)}\r\n")
    assert cplane("whoami", "-q").out == "scientist\n"
    with ControlPlane(installation.url, secret_of(scientist) + "\n") as client:
        assert client.me().account == "scientist"


def test_what_is_odd_on_this_machine_is_said_in_a_sentence(
    signed_in, cplane, scientist, make_model, make_version, tmp_path
):
    signed_in(scientist)
    version = make_version(make_model())
    name, odd = version.model.name, tmp_path / "odd.yaml"
    odd.write_bytes(b"columns: \xff\xfe")
    assert cplane("datasets", "contract", "flights", "/nope.yaml").code == USAGE
    not_text = cplane("datasets", "contract", "flights", odd)
    assert (not_text.code, "UTF-8" in not_text.err) == (USAGE, True)
    assert cplane("versions", "show", name, "²").code == FAILED
    for place in (odd, "/proc/nowhere"):
        refused = cplane("versions", "download", name, "1", "-d", place)
        assert refused.code == FAILED
        assert refused.err.startswith(f"Error: {place}")
    kept = tmp_path / "configuration" / "config.json"
    for content in ("[]", '{"installations": []}', '{"installations": {"http://x": "y"}}', '{"current": 3}'):
        kept.write_text(content)
        refused = cplane("whoami")
        assert (refused.code, "sign in again" in refused.err) == (REFUSED, True)


def test_a_folder_or_a_disk_that_cannot_be_written_is_said_in_a_sentence(
    installation, secret_of, scientist, cplane, tmp_path, monkeypatch
):
    secret = secret_of(scientist)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CPLANE_CONFIG_DIR", str(tmp_path / "file" / "below"))
    refused = cplane("login", installation.url, "--token-stdin", stdin=secret)
    assert (refused.code, "Not a directory" in refused.err) == (FAILED, True)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "client/src"),
        "CPLANE_URL": installation.url,
        "CPLANE_TOKEN": secret,
    }
    command = [sys.executable, "-m", "cplane", "whoami", "-o", "json"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (FAILED, "Error: No space left on device.\n")


def test_doctor_names_what_is_wrong(signed_in, cplane, scientist, monkeypatch):
    unknown = cplane("doctor", "-o", "json")
    assert (unknown.code, unknown.data[0]["state"]) == (FAILED, "wrong")
    signed_in(scientist)
    found = {each["part"]: each for each in cplane("doctor", "-o", "json").data}
    assert found["token"]["state"] == "ok"
    assert found["address"]["state"] == "ok"
    assert found["MLflow tracking"]["state"] == "ok", found
    monkeypatch.setenv("CPLANE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("CPLANE_TOKEN", "cp_x")
    away = {each["part"]: each["state"] for each in cplane("doctor", "-o", "json").data}
    assert away["address"] == "wrong"


def test_it_runs_as_a_program_without_colour_and_without_bars(installation, secret_of, scientist, folder):
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "client/src"),
        "CPLANE_URL": installation.url,
        "CPLANE_TOKEN": secret_of(scientist),
    }
    command = [
        sys.executable,
        "-m",
        "cplane",
        "versions",
        "register",
        "delays",
        str(folder),
        "--create",
        "--wait",
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == DONE, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "Uploading" not in done.stderr
    missing = [sys.executable, "-m", "cplane", "models", "show", "nothing"]
    failed = subprocess.run(missing, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert failed.returncode == FAILED
    assert failed.stdout == ""
    assert "There is no registered model named 'nothing'." in failed.stderr
    assert "Request id" in failed.stderr


def test_a_request_ends_with_what_became_of_it(
    live_server, cplane, scientist, reviewer, version, production, actor, answer
):
    """``version`` has held-out data and a contract that holds; ``answer`` ends its evaluation."""
    from accounts.services import issue_token
    from approvals import services as approvals
    from tests.approvals.conftest import measured
    from tests.conftest import PASSWORD

    secret = issue_token(actor=actor(scientist), account=scientist, name="t", scopes=["all"])[1]
    assert cplane("login", live_server.url, "--token-stdin", stdin=secret).code == DONE
    asked = approvals.request_promotion(
        actor=actor(scientist), version=version, environment=production, why="It knows the weather."
    )
    evaluating = cplane("request", "watch", asked.pk, "--timeout", "0")
    assert evaluating.code == WAITING
    again = cplane(
        "request", "open", version.model.name, version.number, "--why", "It still knows the weather."
    )
    assert again.code == CONFLICT
    answer(asked, measured(auc=0.5))
    failed = cplane("request", "watch", asked.pk, "--timeout", "0")
    assert failed.code == GATE_FAILED
    assert "Gate failed" in failed.err
    assert cplane("request", "list", "-q").out == f"{asked.pk}\n"
    assert "failed" in cplane("request", "show", asked.pk).out
    asked.refresh_from_db()
    approvals.reject(
        actor=actor(reviewer), promotion=asked, reason="Too weak.", revision=asked.rev, password=PASSWORD
    )
    assert cplane("request", "watch", asked.pk).code == REFUSED


def test_rows_of_a_source_that_was_granted_become_a_version(
    signed_in, scientist, admin, actor, settings, test_database
):
    from pipelines import services as data
    from pipelines.sources import services as sources

    cplane = signed_in(scientist)
    assert cplane("datasets", "sources", "-q").out == ""
    about = settings.DATABASES["default"]
    address = f"host={about['HOST']} port={about['PORT']} user={about['USER']} password={about['PASSWORD']}"
    settings.DATASETS_SQL_SOURCES = {"warehouse": f"{address} dbname={test_database.name}"}
    source = sources.add_source(actor=actor(admin), name="warehouse", kind="sql")
    created = cplane("datasets", "read", "flights", "warehouse", "--query", "select 1 as id")
    assert created.code == FAILED, "there is no such data set"
    data.create_dataset(actor=actor(scientist), name="flights")
    query = ("datasets", "read", "flights", "warehouse", "--query", "select 1 as id, 7 as hour", "--wait")
    refused = cplane(*query)
    assert refused.code == USAGE and "none was granted to you" in refused.err
    sources.grant_use(actor=actor(admin), source=source, account=scientist, reason="Flights.")
    assert cplane("datasets", "sources", "-q").out == "warehouse\n"
    read = cplane(*query, "-q")
    assert (read.code, read.out) == (DONE, "1\n"), read.err
    failed = cplane(
        "datasets", "read", "flights", "warehouse", "--query", "select * from nowhere", "--wait", "-o", "json"
    )
    assert failed.code == FAILED
    assert "nowhere" in failed.err
