"""Writing the ledger: one event in the transaction of the change it tells of."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import connection, transaction

from core.actors import Actor
from core.canonical import canonical_json
from core.errors import NotAllowed
from core.identifiers import new_id

P = ParamSpec("P")
R = TypeVar("R")
OUTCOMES = {"ok", "denied", "failed"}


@dataclass(frozen=True)
class Target:
    """What an event is about, when it is not a row."""

    type: str
    id: str
    name: str = ""
    revision: int | None = None
    digest: str | None = None


def record(
    *,
    actor: Actor,
    action: str,
    target: Any = None,
    before: Any = None,
    after: Any = None,
    reason: str = "",
    meaning: str = "",
    outcome: str = "ok",
    policy: dict[str, Any] | None = None,
    extra: dict[str, Any] | None = None,
) -> uuid.UUID:
    """Add an event; answers its public id. Refuses to run outside a transaction.

    ``before`` and ``after`` hold only what changed; secrets never belong there.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("record() runs in the transaction of the change it tells of.")
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome is one of {', '.join(sorted(OUTCOMES))}.")
    identifier = new_id()
    body = {
        "v": 1,
        "id": str(identifier),
        "action": action,
        "outcome": outcome,
        "actor": _actor(actor),
        "object": _target(target),
        "request": {"id": actor.request_id, "ip": _committed(actor.address), "ua_sha256": _hashed(actor.user_agent)},
    }
    optional = {"before": before, "after": after, "reason": reason, "meaning": meaning, "policy": policy}
    body |= {name: value for name, value in optional.items() if value not in (None, "")}
    if actor.job_id:
        body["job"] = {"id": str(actor.job_id), "attempt": actor.job_attempt, "fence": actor.job_fence}
    if extra:
        body["extra"] = extra
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO audit.event (body) VALUES (%s)", [canonical_json(body)])
    return identifier


def command(service: Callable[P, R]) -> Callable[P, R]:
    """The transaction of the outermost service; a refusal leaves a ``denied`` event.

    On NotAllowed everything is rolled back first: an event written in the same transaction
    would be lost with it.
    """

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        outermost = not getattr(connection, "in_command", False)
        if not outermost:
            return service(*args, **kwargs)
        connection.in_command = True
        try:
            with transaction.atomic():
                return service(*args, **kwargs)
        except NotAllowed as error:
            connection.in_command = False
            _record_denied(service, error, kwargs)
            raise
        finally:
            connection.in_command = False

    run.is_command = True  # type: ignore[attr-defined]
    return run


def record_denied(*, actor: Actor, action: str, target: Any = None, reason: str = "", code: str = "not_allowed") -> None:
    """A refusal at a door, before any service was asked."""
    with transaction.atomic():
        record(actor=actor, action=action, target=target, reason=reason, outcome="denied", extra={"code": code})


def _record_denied(service: Callable[..., Any], error: NotAllowed, kwargs: dict[str, Any]) -> None:
    actor = kwargs.get("actor")
    if not isinstance(actor, Actor):
        return
    target = next((value for value in kwargs.values() if hasattr(value, "_meta")), None)
    action = f"{service.__module__.split('.')[0]}.{service.__name__}"
    record_denied(actor=actor, action=action, target=target, reason=str(error), code=error.code)


def _actor(actor: Actor) -> dict[str, Any]:
    about: dict[str, Any] = {"kind": actor.kind, "name": actor.account_name, "via": actor.via}
    for name in ("account_id", "person_id", "token_id"):
        if value := getattr(actor, name):
            about[name] = str(value)
    if actor.roles:
        about["roles"] = sorted(actor.roles)
    if actor.reauthenticated_at:
        about["reauthenticated_at"] = actor.reauthenticated_at.isoformat()
    return about


def _target(target: Any) -> dict[str, Any] | None:
    if target is None:
        return None
    if isinstance(target, Target):
        about = {"type": target.type, "id": target.id, "name": target.name}
        revision, digest = target.revision, target.digest
    else:
        about = {"type": target._meta.label_lower, "id": str(target.pk), "name": str(target)}
        revision, digest = getattr(target, "rev", None), getattr(target, "digest", None)
    if revision is not None:
        about["revision"] = revision
    if digest:
        about["digest"] = digest
    return about


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() if text else ""


def _committed(value: str) -> dict[str, str] | None:
    """A personal value as a salted commitment; salt and value can be erased beside the ledger."""
    if not value:
        return None
    salt = secrets.token_hex(16)
    commitment = hashlib.sha256(f"{salt}{value}".encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit.personal (commitment, salt, value) VALUES (%s, %s, %s)", [commitment, salt, value]
        )
    return {"c": commitment}
