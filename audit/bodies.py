"""What an event says: canonical fields, without secrets, and with nothing personal in clear."""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from audit.targets import Target
from core.actors import Actor

VERSION = 1
LONGEST_TEXT = 20_000
WITHHELD = "(withheld)"
SECRET_NAMES = re.compile(
    r"password|passwd|secret|api_?key|private_?key|credential|authorization|^token$|cookie", re.I
)
SECRET_VALUES = re.compile(r"\bcp_[A-Za-z0-9_-]{20,}")
UNSTORABLE = {"\x00": "\u2400"} | {chr(code): "\ufffd" for code in range(0xD800, 0xE000)}
UNSTORABLE_TABLE = str.maketrans(UNSTORABLE)


@dataclass(frozen=True)
class Said:
    """What was said of a change beside who, what and when; empty parts are left out."""

    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    reason: str = ""
    meaning: str = ""
    policy: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None


@dataclass
class PersonalValues:
    """Addresses and browsers of people: commitments for the ledger, and what they stand for."""

    commitments: list[str] = field(default_factory=list)
    salts: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)

    def committed(self, value: str) -> dict[str, str]:
        """``{"c": SHA-256(salt value)}``, with salt and value put aside."""
        salt, value = secrets.token_hex(16), cleaned(value)
        commitment = hashlib.sha256(f"{salt}{value}".encode()).hexdigest()
        self.commitments.append(commitment)
        self.salts.append(salt)
        self.values.append(value)
        return {"c": commitment}


def body_of(
    key: uuid.UUID, actor: Actor, action: str, outcome: str, target: Any, said: Said, personal: PersonalValues
) -> dict[str, Any]:
    """The event's fields."""
    before, after = _differences(said.before, said.after)
    optional = {
        "object": Target.of(target).as_record() if target is not None else None,
        "before": before,
        "after": after,
        "reason": said.reason,
        "meaning": said.meaning,
        "policy": said.policy,
        "request": _request(actor, personal),
        "job": _job(actor),
        "extra": said.extra,
    }
    return {
        "v": VERSION,
        "id": str(key),
        "action": action,
        "outcome": outcome,
        "actor": _actor(actor),
        "occurred_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        **{name: cleaned(value) for name, value in optional.items() if value not in (None, "", {})},
    }


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
    return {field: cleaned(value) for field, value in known.items() if value}


def _request(actor: Actor, personal: PersonalValues) -> dict[str, Any]:
    known: dict[str, Any] = {"id": actor.request_id} if actor.request_id else {}
    if actor.address:
        known["ip"] = personal.committed(actor.address)
    if actor.user_agent:
        known["user_agent"] = personal.committed(actor.user_agent)
    return known


def _job(actor: Actor) -> dict[str, Any]:
    if actor.job_id is None:
        return {}
    return {"id": str(actor.job_id), "attempt": actor.job_attempt, "fence": actor.job_fence}


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


def cleaned(value: Any, name: str = "") -> Any:
    """Secrets withheld, text that PostgreSQL cannot hold made visible, long text cut."""
    if name and _is_secret(name) and value not in (None, "", True, False):
        return WITHHELD
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, dict):
        return {_clean_text(str(key)): cleaned(item, str(key)) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return [cleaned(item) for item in sorted(value, key=str)]
    if isinstance(value, list | tuple):
        return [cleaned(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return value if isinstance(value, int | float | None) else _clean_text(str(value))


@lru_cache(maxsize=10_000)
def _is_secret(name: str) -> bool:
    return SECRET_NAMES.search(name) is not None


def _clean_text(value: str) -> str:
    if not value.isascii() or "\x00" in value:
        value = value.translate(UNSTORABLE_TABLE)
    if "cp_" in value:
        value = SECRET_VALUES.sub(WITHHELD, value)
    return value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT] + "…"
