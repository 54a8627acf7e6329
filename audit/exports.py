"""Asking for exports, making them, and handing them over; each leaves an event."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from audit import exporting
from audit.commands import command
from audit.keys import export_key
from audit.models import Checkpoint, Event, Export
from audit.recording import record
from audit.selecting import ENDORSEMENT, Selection
from audit.targets import Target
from audit.tree import last_checkpoint
from core.actors import Actor, holds
from core.errors import Conflict, Invalid, NotAllowed
from core.jobs import enqueue
from core.jobs.models import Job
from core.object_store import StoredObject, store
from core.text import checked_text

log = logging.getLogger(__name__)

LATER = {"csv", "parquet"}
VERIFIER_SECONDS = 300
# A double click, or a client that did not hear the answer.
ASKED_TWICE_WITHIN = timedelta(seconds=10)
LOCK_ASKING = "SELECT pg_advisory_xact_lock(hashtextextended('export ' || %s, 0))"
LEDGER = Target("audit.ledger", "ledger", "the audit ledger")


@command
def request_export(*, actor: Actor, format: str, selection: Selection, title: str = "") -> Export:
    """Ask a worker for a file of events; asked twice at once by one account, it is made once."""
    _require_right(actor)
    check_format(format)
    if (known := _asked_a_moment_ago(actor, format, selection)) is not None:
        return known
    export = Export.objects.create(
        format=format,
        selection=selection.as_json(),
        title=checked_text(title, "title", 200),
        requested_by_id=actor.account_id,
        requested_by_name=actor.account_name,
    )
    after = {"format": format, "selection": export.selection}
    record(actor=actor, action="audit.export_requested", target=export, after=after)
    enqueue("audit.export", subject=export, actor=actor)
    return export


@command
def retry_export(*, actor: Actor, export: Export) -> Export:
    """Try a failed export again."""
    _require_right(actor)
    export.move_to(Export.Status.WAITING, failure="")
    record(actor=actor, action="audit.export_requested", target=export, after={"is_retry": True})
    enqueue("audit.export", subject=export, actor=actor)
    return export


@command
def note_download(*, actor: Actor, export: Export) -> None:
    """Handing an export over is an event."""
    _require_right(actor)
    if export.status != Export.Status.READY:
        raise Conflict("The export is not ready.")
    record(actor=actor, action="audit.export_downloaded", target=export, after={"sha256": export.digest})


@command
def finish_export(*, actor: Actor, export: Export, made: dict[str, Any], verdict: dict[str, Any]) -> Export:
    """The file is in the store; what the verifier said about it goes with it."""
    export.move_to(Export.Status.READY, verdict=verdict, finished_at=Now(), **made)
    after = {
        **made,
        "verdict": verdict.get("result"),
        "public_key": exporting.export_verifier_key(export_key()),
    }
    record(actor=actor, action="audit.exported", target=export, after=after)
    return export


@command
def fail_export(*, actor: Actor, export: Export, failure: str) -> Export:
    export.move_to(Export.Status.FAILED, failure=failure, finished_at=Now())
    record(actor=actor, action="audit.export_failed", target=export, reason=failure, outcome="failed")
    return export


@command
def request_verification(*, actor: Actor) -> Job:
    """Have a worker run the offline verifier over the whole ledger."""
    if not holds(actor, "audit"):
        raise NotAllowed("You may not verify the audit trail; it needs the right to audit.")
    running = Job.objects.open().filter(kind="audit.verify").first()
    if running is not None:
        return running
    record(actor=actor, action="audit.verification_requested", target=LEDGER)
    return enqueue("audit.verify", actor=actor)


def verify_whole_ledger(actor: Actor) -> dict[str, Any]:
    """The verifier's verdict on everything sealed so far; a bad one is an event and an alarm in the log."""
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        path = Path(folder) / "ledger.jsonl"
        with path.open("wb") as target:
            exporting.write_jsonl(target, Selection(), last_checkpoint())
        verdict = verify(path)
    verdict["findings"] = verdict.get("findings", [])[:20]
    if verdict.get("exit_code") not in {0, 3}:
        log.error("the ledger does not verify: %s", verdict["findings"][:1])
        with transaction.atomic():
            record(
                actor=actor,
                action="audit.verification_failed",
                target=LEDGER,
                outcome="failed",
                after={"result": verdict.get("result"), "findings": verdict["findings"]},
            )
    return verdict


def make(actor: Actor, format: str, selection: Selection, path: Path) -> tuple[int, Checkpoint]:
    """Write the export to ``path``; the number of events and the checkpoint it is bound to."""
    key = export_key()
    endorse_export_key(actor)
    checkpoint = last_checkpoint()
    with path.open("wb") as target:
        if format == Export.Format.BUNDLE:
            return exporting.write_bundle(target, selection, checkpoint, key), checkpoint
        return exporting.write_jsonl(target, selection, checkpoint), checkpoint


def make_and_store(actor: Actor, export: Export) -> tuple[dict[str, Any], dict[str, Any]]:
    """The facts of the finished file, and the verifier's verdict on it."""
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        path = Path(folder) / export.file_name
        count, checkpoint = make(actor, export.format, Selection.from_json(export.selection), path)
        stored: StoredObject = store().put_file(path)
        made = {
            "digest": stored.digest,
            "size": stored.size,
            "events": count,
            "tree_size": checkpoint.tree_size,
        }
        return made, verify(path)


def verify(path: Path) -> dict[str, Any]:
    """What the offline verifier says, run as a stranger would run it."""
    words = [sys.executable, "-I", "-S", str(exporting.VERIFIER), str(path), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=VERIFIER_SECONDS, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {
            "result": "unreadable",
            "exit_code": done.returncode,
            "findings": [{"finding": done.stderr[-500:]}],
        }


def endorse_export_key(actor: Actor) -> None:
    """The ledger itself says which key signs exports, once per key."""
    public = exporting.export_verifier_key(export_key())
    known = Event.objects.acting(ENDORSEMENT).values_list("fields__after__public", flat=True)
    if public not in set(known):
        with transaction.atomic():
            record(actor=actor, action=ENDORSEMENT, target=LEDGER, after={"public": public})


def check_format(format: Any) -> None:
    if format in LATER:
        raise Invalid(
            f"Exports as {format} are not built yet; jsonl and bundle are.",
            field="format",
            allowed="bundle, jsonl",
        )
    if format not in Export.Format.values:
        raise Invalid("format must be bundle or jsonl.", field="format", allowed="bundle, jsonl")


def _asked_a_moment_ago(actor: Actor, format: str, selection: Selection) -> Export | None:
    """The same account's export of the same format and range; one that failed is no answer."""
    if actor.account_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(LOCK_ASKING, [str(actor.account_id)])
    mine = Export.objects.filter(requested_by_id=actor.account_id, format=format)
    recent = mine.filter(selection=selection.as_json(), created_at__gt=Now() - ASKED_TWICE_WITHIN)
    return recent.exclude(status=Export.Status.FAILED).order_by("-created_at").first()


def _require_right(actor: Actor) -> None:
    if not (holds(actor, "audit") and holds(actor, "export")):
        is_in_scope = actor.scope_allows("audit") and actor.scope_allows("export")
        scope = "" if is_in_scope else ", which this token's scopes leave out"
        raise NotAllowed(
            f"You may not export the audit trail; it needs the rights to audit and to export{scope}."
        )
