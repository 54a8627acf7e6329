"""Writing exports: the same bytes for the same selection at the same checkpoint."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from audit import notes
from audit.models import Checkpoint, Personal
from audit.selecting import Selection
from audit.tree import public_keys, tree_of
from core.canonical import canonical_json

EXPORT_KEY_NAME = "controlplane/export"
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o644
VERIFIER = Path(settings.BASE_DIR) / "tools" / "verify_ledger.py"
README = """\
Evidence from the audit ledger of Controlplane
==============================================

Verify it on any machine with Python 3.11 or newer, without a network:

    python3 -I -S verify_ledger.py THIS-FILE.zip --pinned NOTE

NOTE is a checkpoint of this ledger that you kept earlier; without one, a ledger whose end was
cut off together with its newest checkpoint looks whole. Exit codes: 0 intact, 1 tampered,
2 unreadable or not proven, 3 intact with an unsealed tail. Do not trust the verify_ledger.py in here more than
the rest: take it from a source you trust.

events.jsonl      one event per line: its place (seq), the database's time and user, the hash that
                  was sealed, and the exact text that was hashed (body)
checkpoints.txt   signed tree heads (C2SP); the last one is what this export is bound to
proofs/           for a selection: each event's path to the root of the last checkpoint (RFC 6962)
personal.jsonl    what the salted hashes of addresses and browsers stand for, unless erased
manifest.json     what was selected and the SHA-256 of every file; manifest.sig is its signature
public-keys.json  the ledger's verifier keys and the export key

This export: {scope}
Events: {events}. Tree size: {tree_size}. Checkpoint time: {time}.
"""


def export_verifier_key(key: Ed25519PrivateKey) -> str:
    return notes.verifier_key(EXPORT_KEY_NAME, notes.public_bytes(key))


def write_jsonl(target: IO[bytes], selection: Selection, checkpoint: Checkpoint) -> int:
    """One event per line, then one line with checkpoints and keys; the number of events.

    Each event of a selection carries its path to the root (RFC 6962): without the others nothing else
    shows its place.
    """
    count = 0
    tree = None if selection.is_complete else tree_of(checkpoint.tree_size)
    for row in selection.rows(checkpoint.tree_size):
        path = None if tree is None else tree.inclusion(row[0], checkpoint.tree_size)
        target.write(_line(row, path))
        count += 1
    last = {
        "checkpoint": checkpoint.tree_size,
        "checkpoints": _notes(selection, checkpoint),
        "is_complete": selection.is_complete,
        "public_keys": public_keys(),
        "selection": selection.as_json(),
    }
    target.write(json.dumps(last, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
    return count


def write_bundle(
    target: IO[bytes], selection: Selection, checkpoint: Checkpoint, key: Ed25519PrivateKey
) -> int:
    """The evidence bundle; the number of events."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        bundle = _Bundle(archive)
        count = bundle.add_events(selection, checkpoint)
        bundle.add("checkpoints.txt", "\n".join(_notes(selection, checkpoint)))
        bundle.add(
            "public-keys.json", canonical_json({"ledger": public_keys(), "export": export_verifier_key(key)})
        )
        bundle.add("verify_ledger.py", VERIFIER.read_text())
        bundle.add("README.txt", _readme(selection, checkpoint, count))
        manifest = canonical_json(
            {
                "schema": "controlplane/evidence-bundle/v1",
                "selection": selection.as_json(),
                "is_complete": selection.is_complete,
                "events": count,
                "tree_size": checkpoint.tree_size,
                "root": bytes(checkpoint.root).hex(),
                "files": bundle.digests,
            }
        )
        bundle.add("manifest.json", manifest)
        bundle.add("manifest.sig", base64.b64encode(key.sign(manifest.encode())).decode())
    return count


class _Bundle:
    """A zip without clocks in it, remembering each file's SHA-256."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.digests: dict[str, str] = {}

    def add(self, name: str, text: str) -> None:
        with self.file(name) as write:
            write(text.encode())

    @contextmanager
    def file(self, name: str) -> Iterator[Any]:
        info = zipfile.ZipInfo(name, FIXED_TIME)
        info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 3, FILE_MODE << 16
        hasher = hashlib.sha256()
        with self.archive.open(info, "w", force_zip64=True) as member:

            def write(content: bytes) -> None:
                hasher.update(content)
                member.write(content)

            yield write
        self.digests[name] = hasher.hexdigest()

    def add_events(self, selection: Selection, checkpoint: Checkpoint) -> int:
        count, places = 0, []
        with self.file("events.jsonl") as write:
            for row in selection.rows(checkpoint.tree_size):
                write(_line(row))
                count += 1
                if not selection.is_complete:
                    places.append(row[0])
        with self.file("personal.jsonl") as write:
            for line in _personal(selection, checkpoint):
                write(line)
        if places:
            tree = tree_of(checkpoint.tree_size)
            for seq in places:
                path = [step.hex() for step in tree.inclusion(seq, checkpoint.tree_size)]
                self.add(f"proofs/{seq:012d}.json", canonical_json({"seq": seq, "path": path}))
        return count


def _line(row: tuple[int, str, str, str, bytes], path: list[bytes] | None = None) -> bytes:
    seq, recorded_at, db_user, body, leaf = row
    event = {
        "seq": seq,
        "recorded_at": recorded_at,
        "db_user": db_user,
        "leaf": bytes(leaf).hex(),
        "body": body,
        **({} if path is None else {"path": [step.hex() for step in path]}),
    }
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _notes(selection: Selection, checkpoint: Checkpoint) -> list[str]:
    """Every checkpoint of a complete export; only the last one of a selection."""
    if not selection.is_complete:
        return [checkpoint.note]
    earlier = Checkpoint.objects.filter(tree_size__lte=checkpoint.tree_size).order_by("tree_size")
    return list(earlier.values_list("note", flat=True))


def _personal(selection: Selection, checkpoint: Checkpoint) -> Iterator[bytes]:
    waiting: list[str] = []
    for row in selection.rows(checkpoint.tree_size):
        request = json.loads(row[3]).get("request") or {}
        waiting += [value["c"] for value in request.values() if isinstance(value, dict) and "c" in value]
        if len(waiting) > 1000:
            yield from _disclosed(waiting)
            waiting = []
    yield from _disclosed(waiting)


def _disclosed(commitments: list[str]) -> Iterator[bytes]:
    known = Personal.objects.filter(value__isnull=False).in_bulk(commitments)
    for commitment in commitments:
        if each := known.get(commitment):
            yield canonical_json({"c": commitment, "salt": each.salt, "value": each.value}).encode() + b"\n"


def _readme(selection: Selection, checkpoint: Checkpoint, count: int) -> str:
    scope = "the whole ledger" if selection.is_complete else canonical_json(selection.as_json())
    time = notes.read(checkpoint.note).time
    return README.format(scope=scope, events=count, tree_size=checkpoint.tree_size, time=time)
