"""Who is asking, and which rights they hold."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from core.jobs.lease import Lease

RIGHTS = frozenset(
    {
        "view",
        "view_predictions",
        "create",
        "register",
        "propose",
        "approve",
        "deploy",
        "roll_back",
        "export",
        "audit",
        "administer",
        "predict",
    }
)
EVERY_SCOPE = "all"


class Grantable(Protocol):
    """An object on which rights are granted one by one."""

    def is_granted_to(self, actor: Actor, right: str) -> bool: ...


@dataclass(frozen=True)
class Actor:
    """The one who acts, as every service sees them.

    ``rights`` are those the roles give everywhere; rights on one object are asked of the
    object. ``scopes`` is None when nothing narrows them (a browser session).
    """

    account_id: uuid.UUID | None
    account_name: str
    person_id: uuid.UUID | None
    kind: str = "person"
    via: str = "session"
    rights: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    group_ids: tuple[int, ...] = ()
    scopes: frozenset[str] | None = None
    token_id: uuid.UUID | None = None
    reauthenticated_at: datetime | None = None
    request_id: str = ""
    address: str = ""
    user_agent: str = ""
    job_id: uuid.UUID | None = None
    job_attempt: int | None = None
    job_fence: int | None = None
    is_active: bool = True
    extra: dict[str, Any] = field(default_factory=dict, compare=False)

    @classmethod
    def system(cls, lease: Lease | None = None) -> Actor:
        """The installation itself, doing the job that ``lease`` holds."""
        actor = cls(account_id=None, account_name="system", person_id=None, kind="system", via="system")
        if lease is None:
            return actor
        return replace(actor, job_id=lease.job_id, job_attempt=lease.attempt, job_fence=lease.fence)

    @classmethod
    def command_line(cls) -> Actor:
        """Whoever has the host: manage commands act with its authority and are recorded so."""
        return cls(account_id=None, account_name="command line", person_id=None, kind="system", via="cli")

    @classmethod
    def anonymous(cls, **about: Any) -> Actor:
        """Somebody who has not signed in: holds nothing."""
        return cls(
            account_id=None,
            account_name="anonymous",
            person_id=None,
            kind="anonymous",
            via="anonymous",
            is_active=False,
            **about,
        )

    @property
    def is_system(self) -> bool:
        return self.kind == "system"

    @property
    def is_interactive(self) -> bool:
        """True for a person in a browser session: only they may sign decisions."""
        return self.kind == "person" and self.via in {"session", "oidc"}

    def scope_allows(self, right: str) -> bool:
        """Whether the token's scope, if any, includes this right."""
        return self.scopes is None or EVERY_SCOPE in self.scopes or right in self.scopes

    def holds_everywhere(self, right: str) -> bool:
        """Whether a role gives this right on every object; for QuerySets' ``visible_to``."""
        if self.is_system:
            return True
        return self.is_active and self.scope_allows(right) and right in self.rights


def need_of(actor: Actor, right: str) -> str:
    """What a refusal says that right is needed; a token that leaves it out is named, since its person may hold it."""
    scope = "" if actor.scope_allows(right) else ", which this token's scopes leave out"
    return f"it needs the right to {right.replace('_', ' ')}{scope}"


def holds(actor: Actor, right: str, on: Grantable | None = None) -> bool:
    """True when the right is held everywhere or on this object, and the scope allows it."""
    if right not in RIGHTS:
        raise ValueError(f"{right!r} is not a right; the rights are {', '.join(sorted(RIGHTS))}.")
    if actor.holds_everywhere(right):
        return True
    if not actor.is_active or not actor.scope_allows(right):
        return False
    return on is not None and on.is_granted_to(actor, right)
