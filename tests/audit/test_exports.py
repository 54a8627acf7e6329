"""Exports verify on a bare machine, repeat byte for byte, and show every alteration."""

import base64
import io
import json
import shutil
import threading
import zipfile

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.actors import actor_for
from audit import exports, notes
from audit.exporting import write_bundle, write_jsonl
from audit.keys import export_key
from audit.models import Checkpoint, Event, Export, Personal
from audit.selecting import Selection
from audit.tree import consistency_proof, last_checkpoint
from core.actors import Actor
from core.errors import Invalid, NotAllowed
from core.jobs.models import Job
from tools import verify_ledger

pytestmark = pytest.mark.django_db(transaction=True)

EVERYTHING = Selection()


@pytest.fixture(autouse=True)
def _own_keys(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"


@pytest.fixture
def story(happen, sealer, admin):
    """A ledger of 40 events and a few checkpoints, with addresses in some."""
    exports.endorse_export_key(Actor.system())
    for _ in range(3):
        happen(10)
        sealer.seal()
    with_address = actor_for(admin, address="192.0.2.7", user_agent="Browser/1")
    exports.request_export(actor=with_address, format="bundle", selection=EVERYTHING)
    sealer.seal()
    return last_checkpoint()


@pytest.fixture
def bundle(story, tmp_path):
    """``bundle(selection)``: a written bundle."""

    def write(selection=EVERYTHING, checkpoint=None, name="bundle.zip"):
        path = tmp_path / name
        with path.open("wb") as target:
            write_bundle(target, selection, checkpoint or story, export_key())
        return path

    return write


def altered(path, change):
    """The bundle with ``change(name, content) -> content or None`` applied, its manifest made to fit."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files = {name: change(name, content) for name, content in files.items()}
    files = {name: content for name, content in files.items() if content is not None}
    manifest = json.loads(files["manifest.json"])
    digests = {name: verify_ledger.hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest["files"] = {name: digests[name] for name in manifest["files"] if name in digests}
    manifest["events"] = files["events.jsonl"].count(b"\n") - files["events.jsonl"].count(b'"seq": null')
    files["manifest.json"] = json.dumps(manifest).encode()
    files["manifest.sig"] = base64.b64encode(export_key().sign(files["manifest.json"]))
    target = path.with_name("altered.zip")
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target


def lines_altered(path, change):
    """The bundle with its events, as a list of dictionaries, passed through ``change``."""

    def on_events(name, content):
        if name != "events.jsonl":
            return content
        events = change([json.loads(line) for line in content.splitlines()])
        return b"".join(json.dumps(event, ensure_ascii=False).encode() + b"\n" for event in events)

    return altered(path, on_events)


def test_a_complete_bundle_is_intact(bundle, run_verifier):
    code, verdict = run_verifier(bundle())
    assert (code, verdict["result"], verdict["findings"]) == (0, "intact", [])
    assert verdict["events"] == verdict["tree_size"] == Event.objects.count()
    assert verdict["disclosed"] == 2
    assert verdict["signatures_by"] in {"cryptography", "pure Python"}


def test_the_same_checkpoint_gives_the_same_bytes_while_writes_go_on(bundle, story, happen, sealer):
    first = bundle(name="one.zip").read_bytes()
    happen(5)
    sealer.seal()
    assert bundle(checkpoint=story, name="two.zip").read_bytes() == first
    lines = [io.BytesIO(), io.BytesIO()]
    for each in lines:
        write_jsonl(each, EVERYTHING, story)
    assert lines[0].getvalue() == lines[1].getvalue()


def test_a_selection_proves_each_of_its_events(bundle, run_verifier):
    path = bundle(Selection(objects=(("tests.thing", "1"),)))
    code, verdict = run_verifier(path)
    assert (code, verdict["findings"], verdict["events"]) == (0, [], 31)
    other_place = lines_altered(
        path, lambda events: [{**events[0], "seq": events[0]["seq"] + 1}, *events[2:]]
    )
    assert run_verifier(other_place)[0] == 1


def test_json_lines_verify_too(story, tmp_path, run_verifier):
    path = tmp_path / "events.jsonl"
    with path.open("wb") as target:
        count = write_jsonl(target, EVERYTHING, story)
    assert run_verifier(path)[0] == 0
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == count + 1
    path.write_bytes(b"".join(lines[:4] + lines[5:]))
    assert run_verifier(path)[0] == 1
    path.write_bytes(b"not an export")
    assert run_verifier(path)[0] == 2


def test_json_lines_of_a_selection_prove_each_event(story, tmp_path, run_verifier):
    path = tmp_path / "events.jsonl"
    with path.open("wb") as target:
        write_jsonl(target, Selection(objects=(("tests.thing", "1"),)), story)
    code, verdict = run_verifier(path)
    assert (code, verdict["findings"], verdict["events"]) == (0, [], 31)
    *events, last = [json.loads(line) for line in path.read_text().splitlines()]

    def said(changed):
        path.write_text("\n".join(json.dumps(each) for each in [*changed, last]))
        code, verdict = run_verifier(path)
        return code, verdict["result"]

    assert said([{**events[0], "seq": events[0]["seq"] + 1}, *events[2:]]) == (1, "tampered")
    assert said([{**each, "path": each["path"][::-1]} for each in events]) == (1, "tampered")
    assert said([{**each, "path": ["x"]} for each in events]) == (1, "tampered")
    without = [{name: value for name, value in each.items() if name != "path"} for each in events]
    assert said(without) == (2, "not proven"), "neither shown to be whole nor to be altered"
    assert said([without[0], *events[1:]]) == (1, "tampered"), "one alone lost its proof"
    assert said([rehashed({**without[0], "body": without[0]["body"].replace("tests", "other")})]) != (
        0,
        "intact",
    )


def rehashed(event):
    text = f"{event['recorded_at']}\x1f{event['db_user']}\x1f{event['body']}".encode()
    return {**event, "leaf": verify_ledger.hashlib.sha256(b"\x00" + text).hexdigest()}


def edit(event):
    return {**event, "body": event["body"].replace('"outcome":"ok"', '"outcome":"failed"')}


def renumbered(events):
    return [{**event, "seq": number} for number, event in enumerate(events)]


ALTERATIONS = {
    "a body edited": lambda events: [*events[:3], edit(events[3]), *events[4:]],
    "a body edited and its hash made to fit": lambda events: [
        *events[:3],
        rehashed(edit(events[3])),
        *events[4:],
    ],
    "the last event edited": lambda events: [*events[:-1], rehashed(edit(events[-1]))],
    "a time moved": lambda events: [
        rehashed({**events[0], "recorded_at": "2001-01-01T00:00:00.000000Z"}),
        *events[1:],
    ],
    "a database user changed": lambda events: [rehashed({**events[0], "db_user": "postgres"}), *events[1:]],
    "one deleted": lambda events: events[:5] + events[6:],
    "one deleted and the rest renumbered": lambda events: renumbered(events[:5] + events[6:]),
    "two swapped": lambda events: renumbered([*events[:5], events[6], events[5], *events[7:]]),
    "the tail dropped": lambda events: events[:-4],
    "one added": lambda events: renumbered([*events[:5], events[4], *events[5:]]),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_every_alteration_of_the_events_is_found(name, bundle, run_verifier):
    code, verdict = run_verifier(lines_altered(bundle(), ALTERATIONS[name]))
    assert code == 1, name
    assert verdict["findings"]


def test_the_first_bad_event_is_named(bundle, run_verifier):
    _, verdict = run_verifier(lines_altered(bundle(), ALTERATIONS["a body edited"]))
    assert verdict["findings"][0]["seq"] == 3


def test_an_altered_checkpoint_is_found(bundle, run_verifier):
    path = bundle()

    def later(name, content):
        return content.replace(b"time 20", b"time 21", 1) if name == "checkpoints.txt" else content

    code, verdict = run_verifier(altered(path, later))
    assert code == 1
    assert "not signed" in verdict["findings"][0]["finding"]


def test_files_that_are_not_the_manifests_are_found(bundle, run_verifier, tmp_path):
    path = bundle()
    copy = tmp_path / "copy.zip"
    shutil.copy(path, copy)
    with zipfile.ZipFile(copy, "a") as archive:
        archive.writestr("proofs/extra.json", '{"seq":0,"path":[]}')
    assert run_verifier(copy)[0] == 1


def test_a_tail_cut_with_its_checkpoint_is_found_by_what_was_pinned(bundle, story, run_verifier, tmp_path):
    older = Checkpoint.objects.order_by("tree_size").first()
    cut = bundle(checkpoint=older, name="cut.zip")
    assert run_verifier(cut)[0] == 0, "it looks whole"
    pin = tmp_path / "pin.txt"
    pin.write_text(story.note)
    code, verdict = run_verifier(cut, "--pinned", pin)
    assert code == 1
    assert "before the pinned checkpoint" in verdict["findings"][0]["finding"]
    pin.write_text(older.note)
    assert run_verifier(bundle(), "--pinned", pin)[0] == 0


def test_a_selection_is_compared_with_a_pin_by_a_consistency_proof(bundle, story, run_verifier, tmp_path):
    older = Checkpoint.objects.order_by("tree_size").first()
    path = bundle(Selection(objects=(("tests.thing", "1"),)))
    pin, proof = tmp_path / "pin.txt", tmp_path / "proof.json"
    pin.write_text(older.note)
    assert run_verifier(path, "--pinned", pin)[0] == 2
    proof.write_text(json.dumps(consistency_proof(older.tree_size, story.tree_size)))
    assert run_verifier(path, "--pinned", pin, "--consistency", proof)[0] == 0


def test_a_ledger_signed_by_a_key_of_ones_own_is_found(bundle, run_verifier):
    stranger = notes.verifier_key("controlplane/other", bytes(32))
    assert run_verifier(bundle(), "--public-key", stranger)[0] == 1


def test_erased_personal_values_leave_the_ledger_intact_and_wrong_ones_do_not(bundle, run_verifier):
    path = bundle()
    code, verdict = run_verifier(
        altered(path, lambda name, content: b"" if name == "personal.jsonl" else content)
    )
    assert (code, verdict["redacted"]) == (0, 2)

    def substitute(name, content):
        return content.replace(b"192.0.2.7", b"192.0.2.8") if name == "personal.jsonl" else content

    assert run_verifier(altered(path, substitute))[0] == 1
    Personal.objects.update(value=None)
    code, verdict = run_verifier(bundle(name="later.zip"))
    assert (code, verdict["redacted"]) == (0, 2)


def test_an_unsealed_tail_has_its_own_exit_code(bundle, run_verifier):
    def with_tail(events):
        return [*events, {**events[-1], "seq": None}]

    assert run_verifier(lines_altered(bundle(), with_tail))[0] == 3


# --- Asking for exports -----------------------------------------------------------------------


def test_an_auditor_asks_a_worker_makes_and_the_verifier_agrees(auditor, story, run_jobs, sealer, client_for):
    export = exports.request_export(
        actor=actor_for(auditor), format="bundle", selection=EVERYTHING, title="All of it"
    )
    run_jobs()
    export.refresh_from_db()
    assert (export.status, export.verdict["result"]) == ("ready", "intact")
    made = Event.objects.acting("audit.exported").about("audit.export", export.pk).get()
    assert made.fields["after"]["digest"] == export.digest
    answer = client_for(auditor).get(f"/api/v1/audit/exports/{export.pk}/file/")
    content = b"".join(answer.streaming_content)
    assert verify_ledger.hashlib.sha256(content).hexdigest() == export.digest
    assert answer["Content-Disposition"].startswith("attachment")
    assert Event.objects.acting("audit.export_downloaded").exists()


def test_only_those_who_may_audit_and_export_ask(scientist, reviewer, client_for):
    for account in (scientist, reviewer):
        with pytest.raises(NotAllowed):
            exports.request_export(actor=actor_for(account), format="bundle", selection=EVERYTHING)
    assert not Export.objects.exists()
    assert Event.objects.acting("audit.request_export").ended("denied").count() == 2


@pytest.mark.parametrize("format", ["csv", "parquet", "xml", ""])
def test_formats_that_do_not_exist_are_named(format, auditor):
    with pytest.raises(Invalid) as refused:
        exports.request_export(actor=actor_for(auditor), format=format, selection=EVERYTHING)
    assert refused.value.field == "format"


def test_the_command_writes_what_the_verifier_reads(story, tmp_path, run_verifier, capsys):
    for format in ("bundle", "jsonl"):
        path = tmp_path / f"out.{format}"
        call_command("export_audit", "--format", format, "-o", str(path))
        assert run_verifier(path)[0] == 0
    with pytest.raises(CommandError, match="csv"):
        call_command("export_audit", "--format", "csv", "-o", str(tmp_path / "out.csv"))
    with pytest.raises(CommandError, match="--from"):
        call_command("export_audit", "--from", "yesterday", "-o", str(tmp_path / "out.zip"))
    for until in ("2020-01-01", "2030-01-01"):
        with pytest.raises(CommandError, match="to must be later than from"):
            call_command(
                "export_audit", "--from", "2030-01-01", "--to", until, "-o", str(tmp_path / "out.zip")
            )
    assert not (tmp_path / "out.zip").exists()
    with pytest.raises(CommandError, match="written"):
        call_command("export_audit", "-o", str(tmp_path / "no" / "folder.zip"))


# --- REST ---------------------------------------------------------------------------------------


def test_rest_shows_auditors_everything_and_others_nothing(
    story, auditor, scientist, token_client, client_for
):
    machine = token_client(auditor)
    page = machine.get("/api/v1/audit/events?action=tests.happened&limit=5").json()
    assert [item["action"] for item in page["items"]] == ["tests.happened"] * 5
    following = machine.get(page["next"]).json()
    assert page["items"][-1]["id"] > following["items"][0]["id"]
    key = page["items"][0]["id"]
    assert machine.get(f"/api/v1/audit/events/{key}").json()["id"] == key
    proof = machine.get(f"/api/v1/audit/proof/inclusion?event={key}").json()
    assert proof["tree_size"] == story.tree_size
    assert machine.get("/api/v1/audit/checkpoint").json()["note"] == story.note
    assert machine.get("/api/v1/audit/proof/consistency?from=3").json()["path"]
    for path in (
        "events",
        f"events/{key}",
        "checkpoint",
        f"proof/inclusion?event={key}",
        "proof/consistency?from=1",
        "exports",
    ):
        for client in (token_client(scientist), client_for(scientist)):
            assert client.get(f"/api/v1/audit/{path}").status_code == 404, path


def test_who_may_not_export_is_told_so_and_finds_none(story, auditor, scientist, stranger, token_client):
    asked = {"format": "jsonl"}
    half = token_client(auditor, ["view", "audit"])
    for client in (token_client(scientist), token_client(stranger), half):
        answer = client.post("/api/v1/audit/exports", asked, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
        assert "it needs the rights to audit and to export" in answer.json()["detail"]
    assert "which this token's scopes leave out" in answer.json()["detail"]
    assert Event.objects.acting("audit.request_export").ended("denied").count() == 3
    made = exports.request_export(actor=actor_for(auditor), format="jsonl", selection=EVERYTHING)
    for path in ("", f"/{made.pk}", f"/{made.pk}/file"):
        assert token_client(scientist).get(f"/api/v1/audit/exports{path}").status_code == 404


def test_a_double_click_makes_one_export(auditor):
    start, made = threading.Barrier(2), []

    def ask():
        try:
            start.wait(10)
            made.append(
                exports.request_export(actor=actor_for(auditor), format="bundle", selection=EVERYTHING).pk
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 2 and len(set(made)) == 1
    assert Export.objects.count() == Event.objects.acting("audit.export_requested").count() == 1
    assert Job.objects.filter(kind="audit.export").count() == 1


def test_another_format_range_account_or_moment_is_another_export(auditor, make_account):
    def ask(account=auditor, format="bundle", selection=EVERYTHING):
        return exports.request_export(actor=actor_for(account), format=format, selection=selection).pk

    first = ask()
    assert ask() == first
    others = {
        ask(format="jsonl"),
        ask(selection=Selection(since=timezone.now())),
        ask(make_account("second", "auditor")),
    }
    assert len(others - {first}) == 3
    Export.objects.filter(pk=first).update(created_at=timezone.now() - 2 * exports.ASKED_TWICE_WITHIN)
    second = ask()
    assert second != first
    Export.objects.filter(pk=second).update(status="failed")
    assert ask() not in {first, second}


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("events?outcome=good", "outcome"),
        ("events?from=yesterday", "from"),
        ("events?from=2030-01-01&to=2020-01-01", "to"),
        ("events?object_id=1", "object_type"),
        ("events?action=%00", "action"),
        ("proof/consistency?from=0", "from"),
        ("proof/consistency?from=99999999999999999999", "from"),
        ("proof/consistency?from=1&to=1000000", "to"),
        ("proof/inclusion", "event"),
    ],
)
def test_bad_questions_name_the_field(story, auditor, token_client, path, field):
    answer = token_client(auditor).get(f"/api/v1/audit/{path}")
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["errors"][0]["pointer"]


def test_rest_asks_for_an_export(story, auditor, token_client, run_jobs):
    machine = token_client(auditor)
    answer = machine.post("/api/v1/audit/exports", {"format": "jsonl"}, content_type="application/json")
    assert answer.status_code == 202
    run_jobs()
    assert machine.get(answer["Location"]).json()["status"] == "ready"
    refused = machine.post("/api/v1/audit/exports", {"format": "csv"}, content_type="application/json")
    assert refused.status_code == 400
    assert "not built yet" in refused.json()["detail"]
    turned = {"format": "jsonl", "from": "2030-01-01", "to": "2020-01-01"}
    refused = machine.post("/api/v1/audit/exports", turned, content_type="application/json")
    assert refused.status_code == 400 and "to must be later than from" in refused.json()["detail"]
