"""Writing events: in the transaction of the change, or on their own when the change was refused."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection, transaction

from audit.bodies import PersonalValues, Said, body_of
from core.actors import Actor
from core.canonical import canonical_json
from core.errors import Unavailable
from core.hot_reads import fetch_row
from core.identifiers import new_id

OUTCOMES = {"ok", "denied", "failed"}

INSERT = "INSERT INTO audit.event (body) VALUES (%s) RETURNING id"
INSERT_WITH_PERSONAL = (
    "WITH personal AS (INSERT INTO audit.personal (commitment, salt, value)"
    " SELECT * FROM unnest(%s::text[], %s::text[], %s::text[])) INSERT INTO audit.event (body) VALUES (%s) RETURNING id"
)

Listener = Callable[["Recorded"], None]
_listeners: list[Listener] = []


DENIED = "denied_event"


@dataclass(frozen=True)
class Recorded:
    """An event just recorded, as its listeners get it; ``body`` is what the ledger holds."""

    action: str
    outcome: str
    target: Any
    extra: dict[str, Any]
    body: dict[str, Any]


def on_recorded(listener: Listener) -> Listener:
    """Have ``listener`` called in the transaction of every event; what it writes stands or falls with it."""
    if listener not in _listeners:
        _listeners.append(listener)
    return listener


def record(
    *,
    actor: Actor,
    action: str,
    target: Any = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
    meaning: str = "",
    outcome: str = "ok",
    policy: dict[str, Any] | None = None,
    extra: dict[str, Any] | None = None,
) -> uuid.UUID:
    """Append one event in the caller's transaction; the change and its event stand or fall together.

    ``before`` and ``after`` keep only fields that differ. Values under secret-looking names are
    withheld. Addresses and browsers of people are kept as salted hashes; what they stand for lies
    beside the ledger (``audit.personal``), where it can be erased without breaking the tree.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("An event is recorded in the transaction of the change it describes.")
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome is one of {', '.join(sorted(OUTCOMES))}.")
    key, personal = new_id(), PersonalValues()
    said = Said(before, after, reason, meaning, policy, extra)
    body = body_of(key, actor, action, outcome, target, said, personal)
    _insert(canonical_json(body), personal)
    for listener in _listeners:
        listener(Recorded(action, outcome, target, extra or {}, body))
    return key


def record_denied(
    *,
    actor: Actor,
    action: str,
    target: Any = None,
    reason: str = "",
    code: str = "not_allowed",
    extra: dict[str, Any] | None = None,
) -> uuid.UUID:
    """A ``denied`` event in a transaction of its own; for doors that refuse before any service is asked.

    The actor of a request remembers it, so that who answers knows what has been recorded.
    """
    actor.extra[DENIED] = True
    with transaction.atomic():
        return record(
            actor=actor,
            action=action,
            target=target,
            outcome="denied",
            reason=reason,
            extra={"code": code, **(extra or {})},
        )


def _insert(body: str, personal: PersonalValues) -> None:
    try:
        if personal.values:
            parts = [personal.commitments, personal.salts, personal.values]
            fetch_row(INSERT_WITH_PERSONAL, [*parts, body])
        else:
            fetch_row(INSERT, [body])
    except DatabaseError as error:
        raise Unavailable(
            "The audit ledger cannot be written, so nothing has been changed. Tell whoever runs this installation.",
            code="ledger_unavailable",
        ) from error
