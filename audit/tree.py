"""The sealed tree as the application reads it: checkpoints, proofs, receipts and how far sealing is."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from audit import notes
from audit.merkle import Tree
from audit.models import Checkpoint, Event, Seal, SigningKey, unsealed
from core.errors import Conflict, Invalid, NotFound

STALE_SECONDS = 60

_lock = threading.Lock()
_kept: Tree | None = None


@dataclass(frozen=True)
class ChainState:
    """What a page says about the ledger as a whole."""

    checkpoint: Checkpoint | None
    time: str
    waiting: int
    waiting_since: datetime | None
    lag_seconds: float

    @property
    def is_stale(self) -> bool:
        """Events have waited for the sealer longer than they should."""
        return self.lag_seconds > STALE_SECONDS


def chain_state() -> ChainState:
    """The last checkpoint and what is not sealed yet."""
    checkpoint = Checkpoint.objects.order_by("-tree_size").first()
    waiting, since = unsealed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(extract(epoch FROM clock_timestamp() - %s::timestamptz), 0)", [since])
        lag = float(cursor.fetchone()[0])
    time = notes.read(checkpoint.note).time if checkpoint else ""
    return ChainState(checkpoint, time, waiting, since, lag)


def last_checkpoint() -> Checkpoint:
    checkpoint = Checkpoint.objects.order_by("-tree_size").first()
    if checkpoint is None:
        raise NotFound("Nothing has been sealed yet.")
    return checkpoint


def public_keys() -> list[str]:
    """Verifier keys of the ledger, oldest first."""
    return list(SigningKey.objects.order_by("added_at", "vkey").values_list("vkey", flat=True))


def tree_of(size: int) -> Tree:
    """A tree of at least ``size`` leaves; seals never change, so it is kept until it is too small."""
    global _kept
    with _lock:
        if _kept is None or _kept.size < size or not _still_ours(_kept):
            leaves = Seal.objects.filter(seq__lt=size).order_by("seq").values_list("leaf", flat=True)
            _kept = Tree(bytes(leaf) for leaf in leaves.iterator(chunk_size=10_000))
        return _kept


def _still_ours(tree: Tree) -> bool:
    """Whether the database is the one the kept tree was read from (it can be restored from a backup)."""
    last = Seal.objects.filter(seq=tree.size - 1).values_list("leaf", flat=True).first()
    return last is not None and bytes(last) == tree.leaf(tree.size - 1)


def inclusion_proof(key: uuid.UUID | str) -> dict[str, Any]:
    """The proof that an event is in the last checkpoint's tree."""
    event = Event.objects.keyed(key).first()
    if event is None:
        raise NotFound("There is no such event.")
    proof = receipt(event.pk)
    if proof is None:
        raise Conflict("The event has not been sealed yet; try again in a second.", code="not_sealed")
    return {"event": str(key), **proof}


def receipt(event_id: int) -> dict[str, Any] | None:
    """Place, path and checkpoint of a sealed event; None while it waits for the sealer."""
    seal = Seal.objects.filter(event_id=event_id).first()
    if seal is None:
        return None
    checkpoint = last_checkpoint()
    path = tree_of(checkpoint.tree_size).inclusion(seal.seq, checkpoint.tree_size)
    return {
        "seq": seal.seq,
        "leaf": bytes(seal.leaf).hex(),
        "tree_size": checkpoint.tree_size,
        "root": bytes(checkpoint.root).hex(),
        "path": [step.hex() for step in path],
        "checkpoint": checkpoint.note,
    }


def is_sealed(key: uuid.UUID | str) -> bool:
    """Whether the event has its place in the tree."""
    event = Event.objects.keyed(key).values_list("id", flat=True).first()
    return event is not None and Seal.objects.filter(event_id=event).exists()


def consistency_proof(earlier: int, later: int) -> dict[str, Any]:
    """The proof that the tree only grew between two sizes."""
    newest = last_checkpoint().tree_size
    if not 0 < earlier <= later:
        raise Invalid("from must be at least 1 and at most to.", field="from", allowed=f"1 to {later}")
    if later > newest:
        raise Invalid(
            f"to must be at most {newest}, the size of the newest checkpoint.", field="to", allowed=newest
        )
    path = tree_of(later).consistency(earlier, later)
    return {"from": earlier, "to": later, "path": [step.hex() for step in path]}
