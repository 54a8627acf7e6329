"""What an actor may do to endpoints and deployments."""

from core.actors import Actor, holds
from deployments.models import Endpoint
from deployments.rollback_roles import roles_for_rollback
from registry.models import RegisteredModel


def may_deploy(actor: Actor, model: RegisteredModel) -> bool:
    """Put versions on the model's endpoints; a protected environment asks for a clearance besides."""
    return holds(actor, "deploy", model)


def may_create_endpoint(actor: Actor, model: RegisteredModel) -> bool:
    return holds(actor, "deploy", model)


def may_steer(actor: Actor, endpoint: Endpoint) -> bool:
    """Pause, continue or abort a rollout, and retire a deployment."""
    return holds(actor, "deploy", endpoint.model)


def may_roll_back(actor: Actor, endpoint: Endpoint) -> bool:
    return why_not_roll_back(actor, endpoint) is None


def why_not_roll_back(actor: Actor, endpoint: Endpoint) -> str | None:
    """None when the actor may roll back: the right, in a role the policy allows; else a sentence."""
    if not holds(actor, "roll_back", endpoint.model):
        return f"You may not roll back {endpoint}; it needs the right to roll back."
    roles = roles_for_rollback(endpoint)
    if roles and not (actor.is_system or roles & actor.roles):
        return f"You may not roll back {endpoint}; its policy allows it to: {', '.join(sorted(roles))}."
    return None


def may_clear(actor: Actor, kind: str, model: RegisteredModel) -> bool:
    """Approvals and break-glass are granted by the installation after its checks, never by a person."""
    if kind in {"approval", "break_glass"}:
        return actor.is_system and actor.via == "system"
    return holds(actor, "roll_back" if kind == "rollback" else "deploy", model)


def may_see_predictions(actor: Actor, model: RegisteredModel) -> bool:
    return holds(actor, "view_predictions", model)
