"""Signing with one's password, for what a browser session alone must not do."""

from __future__ import annotations

from accounts.confirming import require_password
from audit.services import command
from core.actors import Actor
from deployments.models import Deployment, Endpoint
from deployments.services.going_live import roll_back


@command
def sign_and_roll_back(
    *, actor: Actor, endpoint: Endpoint, to_deployment: Deployment, reason: str, password: str
) -> Deployment:
    """Roll back with a signed reason: the person at the browser proves to be who signed in."""
    require_signature(actor=actor, password=password)
    return roll_back(actor=actor, endpoint=endpoint, to_deployment=to_deployment, reason=reason)


@command
def require_signature(*, actor: Actor, password: str) -> None:
    """Refuse unless this is a browser session and its person has just given the password."""
    require_password(actor, password)
