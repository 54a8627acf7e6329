"""The sealer: gives committed events their place in the tree and signs what the tree is.

Runs alone as cp_sealer. It looks at ``audit.pending``, never at ``id > last``: a transaction with
a lower id may commit later. Seals and checkpoint are written in one transaction.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import notes
from audit.merkle import CompactRange

log = logging.getLogger(__name__)

ONLY_ONE_SEALER = 0x5EA1_1ED6E5
BATCH = 1000
PAUSE_SECONDS = 0.4

PENDING = """
    SELECT event.id, event.leaf, audit.moment(event.recorded_at), event.db_user, event.body
    FROM audit.pending JOIN audit.event ON event.id = pending.event_id ORDER BY event.id LIMIT %s
"""
NOW = "SELECT audit.moment(clock_timestamp())"


class CannotSeal(Exception):
    """The ledger is not as it was left, so sealing on would hide it."""


class Sealer:
    """Seals with one connection and one key; the tree's state is a compact range."""

    def __init__(
        self,
        connection: psycopg.Connection,
        key: Ed25519PrivateKey,
        *,
        accept_new_key: bool = False,
        publish: Path | None = None,
    ) -> None:
        self.connection = connection
        self.key = key
        self.accept_new_key = accept_new_key
        self.publish = publish
        self.tree: CompactRange | None = None
        self.origin = ""
        self.last_time = ""

    def seal(self) -> int | None:
        """Seal one batch; the number sealed, or None while another sealer is at work."""
        with self.connection.transaction():
            if not self._one("SELECT pg_try_advisory_xact_lock(%s)", [ONLY_ONE_SEALER]):
                self.tree = None
                return None
            if self.tree is None or self.tree.size != self._size():
                self._load()
            rows = self.connection.execute(PENDING, [BATCH]).fetchall()
            if not rows:
                return 0
            assert self.tree is not None  # loaded above
            tree = self.tree.copy()
            self._announce_key()
            self._add_seals(tree, rows)
            note = self._add_checkpoint(tree)
        self.tree, self.last_time = tree, notes.read(note).time
        if self.publish:
            _append(self.publish, note)
        return len(rows)

    def follow(self, stopped: Callable[[], bool]) -> None:
        """Seal until told to stop."""
        while not stopped():
            if (self.seal() or 0) < BATCH:
                time.sleep(PAUSE_SECONDS)

    def _one(self, query: str, values: list[object] | None = None) -> Any:
        row = self.connection.execute(query, values).fetchone()
        return row[0] if row else None

    def _size(self) -> int:
        return int(self._one("SELECT coalesce(max(tree_size), 0) FROM audit.checkpoint"))

    def _load(self) -> None:
        """Rebuild the tree from the seals and compare it with the last checkpoint."""
        tree = CompactRange()
        with self.connection.cursor(name="seals") as cursor:
            cursor.itersize = 10_000
            for expected, (seq, leaf) in enumerate(
                cursor.execute("SELECT seq, leaf FROM audit.seal ORDER BY seq")
            ):
                if seq != expected:
                    raise CannotSeal(f"Seal {expected} is missing.")
                tree.append(leaf)
        last = self._one("SELECT note FROM audit.checkpoint ORDER BY tree_size DESC LIMIT 1")
        if last is None:
            if tree.size:
                raise CannotSeal("There are seals but no checkpoint.")
            self.origin = f"controlplane/{secrets.token_hex(8)}"
        else:
            self._continue(str(last), tree)
        self.tree = tree

    def _continue(self, last: str, tree: CompactRange) -> None:
        said = notes.read(last)
        if (said.size, said.root) != (tree.size, tree.root()):
            raise CannotSeal(f"The seals do not have the root of the last checkpoint, at size {said.size}.")
        self.origin, self.last_time = said.origin, said.time

    def _announce_key(self) -> None:
        mine = notes.verifier_key(self.origin, notes.public_bytes(self.key))
        known = [row[0] for row in self.connection.execute("SELECT vkey FROM audit.signing_key")]
        if mine in known:
            return
        if known and not self.accept_new_key:
            raise CannotSeal(
                "The key file holds another key than the one that signed this ledger. Put the old key back, "
                "or start a new key epoch with --accept-new-key."
            )
        self.connection.execute("INSERT INTO audit.signing_key (vkey) VALUES (%s)", [mine])

    def _add_seals(self, tree: CompactRange, rows: list[tuple[int, bytes, str, str, str]]) -> None:
        seals = []
        for event_id, leaf, recorded_at, db_user, body in rows:
            if leaf != leaf_hash(recorded_at, db_user, body):
                raise CannotSeal(f"Event row {event_id} does not have the hash it was given: it was altered.")
            seals.append((tree.size, event_id, leaf))
            tree.append(leaf)
        with (
            self.connection.cursor() as cursor,
            cursor.copy("COPY audit.seal (seq, event_id, leaf) FROM STDIN") as copy,
        ):
            for seal in seals:
                copy.write_row(seal)
        self.connection.execute(
            "DELETE FROM audit.pending WHERE event_id = ANY(%s)", [[row[0] for row in rows]]
        )

    def _add_checkpoint(self, tree: CompactRange) -> str:
        moment = max(str(self._one(NOW)), self.last_time)
        root = tree.root()
        note = notes.sign(notes.checkpoint_text(self.origin, tree.size, root, moment), self.origin, self.key)
        self.connection.execute(
            "INSERT INTO audit.checkpoint (tree_size, root, note) VALUES (%s, %s, %s)",
            [tree.size, root, note],
        )
        return note


def leaf_hash(recorded_at: str, db_user: str, body: str) -> bytes:
    """What the database computes when the event is inserted."""
    return hashlib.sha256(b"\x00" + f"{recorded_at}\x1f{db_user}\x1f{body}".encode()).digest()


def _append(path: Path, note: str) -> None:
    """A copy of every checkpoint outside the database; losing it loses nothing but the copy."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("a", encoding="utf-8") as file:
            file.write(note + "\n")
    except OSError as error:
        log.warning("the checkpoint could not be copied to %s: %s", path, error)
