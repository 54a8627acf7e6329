"""Writing events: in the transaction of the change, or on their own when the change was refused."""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar, overload

from django.db import DatabaseError, connection, models, transaction

from audit.targets import Target
from core.actors import Actor
from core.canonical import canonical_json
from core.errors import DomainError, NotAllowed, Unavailable
from core.identifiers import new_id

P = ParamSpec("P")
R = TypeVar("R")

VERSION = 1
OUTCOMES = {"ok", "denied", "failed"}
LONGEST_TEXT = 20_000
WITHHELD = "(withheld)"
SECRET_NAMES = re.compile(
    r"password|passwd|secret|api_?key|private_?key|credential|authorization|^token$|cookie", re.I
)
SECRET_VALUES = re.compile(r"\bcp_[A-Za-z0-9_-]{20,}")
UNSTORABLE = {"\x00": "\u2400"} | {chr(code): "\ufffd" for code in range(0xD800, 0xE000)}
UNSTORABLE_TABLE = str.maketrans(UNSTORABLE)

INSERT = "INSERT INTO audit.event (body) VALUES (%s)"
INSERT_WITH_PERSONAL = (
    "WITH personal AS (INSERT INTO audit.personal (commitment, salt, value)"
    " SELECT * FROM unnest(%s::text[], %s::text[], %s::text[])) INSERT INTO audit.event (body) VALUES (%s)"
)

Listener = Callable[["Recorded"], None]
_listeners: list[Listener] = []


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


_depth: ContextVar[int] = ContextVar("audit_command_depth", default=0)


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
    key = new_id()
    personal: list[tuple[str, str, str]] = []
    body: dict[str, Any] = {
        "v": VERSION,
        "id": str(key),
        "action": action,
        "outcome": outcome,
        "actor": _actor(actor),
        "occurred_at": datetime.now(UTC).isoformat(timespec="microseconds"),
    }
    before, after = _differences(before, after)
    optional = {
        "object": Target.of(target).as_record() if target is not None else None,
        "before": before,
        "after": after,
        "reason": reason,
        "meaning": meaning,
        "policy": policy,
        "request": _request(actor, personal),
        "job": _job(actor),
        "extra": extra,
    }
    body |= {name: _clean(value) for name, value in optional.items() if value not in (None, "", {})}
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
    """A ``denied`` event in a transaction of its own; for doors that refuse before any service is asked."""
    with transaction.atomic():
        return record(
            actor=actor,
            action=action,
            target=target,
            outcome="denied",
            reason=reason,
            extra={"code": code, **(extra or {})},
        )


@overload
def command(function: Callable[P, R]) -> Callable[P, R]: ...
@overload
def command(*, refusals: tuple[type[DomainError], ...]) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def command(function: Any = None, *, refusals: tuple[type[DomainError], ...] = (NotAllowed,)) -> Any:
    """Make a service function one transaction, and its refusals denied events.

    The outermost command rolls everything back on a refusal, records it and raises it again.
    ``refusals`` widens what counts (``Conflict`` where a conflict may be an attempt to cheat).
    """

    def decorate(service: Callable[P, R]) -> Callable[P, R]:
        action = f"{service.__module__.split('.')[0]}.{service.__name__}"

        @wraps(service)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            token = _depth.set(_depth.get() + 1)
            try:
                with transaction.atomic():
                    return service(*args, **kwargs)
            except refusals as error:
                if _depth.get() == 1:
                    _deny(action, kwargs, error)
                raise
            finally:
                _depth.reset(token)

        # Tests find the services by this mark; to the types a function has no attributes.
        run.is_command = True  # type: ignore[attr-defined]
        return run

    return decorate(function) if function is not None else decorate


def _deny(action: str, kwargs: dict[str, Any], error: DomainError) -> None:
    actor = kwargs.get("actor")
    if not isinstance(actor, Actor):
        return
    subjects = (each for each in kwargs.values() if isinstance(each, models.Model | Target))
    record_denied(
        actor=actor,
        action=action,
        target=next(subjects, None),
        reason=error.message,
        code=error.code,
        extra=error.extra,
    )


def _actor(actor: Actor) -> dict[str, Any]:
    known = {
        "account_id": actor.account_id,
        "person_id": actor.person_id,
        "name": actor.account_name,
        "kind": actor.kind,
        "via": actor.via,
        "roles": actor.roles,
        "token_id": actor.token_id,
        "reauthenticated_at": actor.reauthenticated_at.isoformat() if actor.reauthenticated_at else None,
    }
    return {field: _clean(value) for field, value in known.items() if value}


def _request(actor: Actor, personal: list[tuple[str, str, str]]) -> dict[str, Any]:
    known: dict[str, Any] = {"id": actor.request_id} if actor.request_id else {}
    if actor.address:
        known["ip"] = _committed(actor.address, personal)
    if actor.user_agent:
        known["user_agent"] = _committed(actor.user_agent, personal)
    return known


def _job(actor: Actor) -> dict[str, Any]:
    if actor.job_id is None:
        return {}
    return {"id": str(actor.job_id), "attempt": actor.job_attempt, "fence": actor.job_fence}


def _committed(value: str, personal: list[tuple[str, str, str]]) -> dict[str, str]:
    """``{"c": SHA-256(salt value)}``, with salt and value put aside."""
    salt, value = secrets.token_hex(16), _clean(value)
    commitment = hashlib.sha256(f"{salt}{value}".encode()).hexdigest()
    personal.append((commitment, salt, value))
    return {"c": commitment}


def _differences(
    before: dict[str, Any] | None, after: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    if before is None or after is None:
        return before, after
    same = {name for name in before.keys() & after.keys() if before[name] == after[name]}
    return (
        {name: value for name, value in before.items() if name not in same},
        {name: value for name, value in after.items() if name not in same},
    )


def _clean(value: Any, name: str = "") -> Any:
    """Secrets withheld, text that PostgreSQL cannot hold made visible, long text cut."""
    if name and SECRET_NAMES.search(name) and value not in (None, "", True, False):
        return WITHHELD
    if isinstance(value, str):
        text = SECRET_VALUES.sub(WITHHELD, value.translate(UNSTORABLE_TABLE))
        return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
    if isinstance(value, dict):
        return {_clean(str(key)): _clean(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [
            _clean(item) for item in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)
        ]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value if isinstance(value, int | float | None) else _clean(str(value))


def _insert(body: str, personal: list[tuple[str, str, str]]) -> None:
    try:
        with connection.cursor() as cursor:
            if personal:
                cursor.execute(INSERT_WITH_PERSONAL, [*map(list, zip(*personal, strict=True)), body])
            else:
                cursor.execute(INSERT, [body])
    except DatabaseError as error:
        raise Unavailable(
            "The audit ledger cannot be written, so nothing has been changed. Tell whoever runs this installation.",
            code="ledger_unavailable",
        ) from error
