"""Seeing at all: a token that cannot is told so, instead of finding nothing anywhere."""

from __future__ import annotations

from audit.services import record_denied
from core.actors import Actor
from core.errors import NotAllowed


def require_sight(actor: Actor) -> None:
    """Refuse a token whose scopes leave out view; the refusal is an event."""
    if actor.scope_allows("view"):
        return
    error = NotAllowed("This token's scopes do not include view.", code="insufficient_scope")
    record_denied(actor=actor, action="accounts.scope_refused", reason=error.message, code=error.code)
    raise error
