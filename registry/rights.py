"""What an actor may do to registered models and their versions."""

from core.actors import Actor, holds
from registry.models import RegisteredModel


def may_create(actor: Actor) -> bool:
    return holds(actor, "create")


def may_register(actor: Actor, model: RegisteredModel) -> bool:
    """Register versions, and describe, tag and alias them."""
    return holds(actor, "register", model)


def may_describe(actor: Actor, model: RegisteredModel) -> bool:
    """Alias, tag and delete its versions."""
    return may_register(actor, model) or may_administer(actor, model)


def may_administer(actor: Actor, model: RegisteredModel) -> bool:
    """Name its owner, rename or delete it, and grant rights on it."""
    return holds(actor, "administer", model)


def may_propose(actor: Actor, model: RegisteredModel) -> bool:
    return holds(actor, "propose", model)
