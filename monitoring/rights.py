"""What an actor may do with what is watched."""

from core.actors import Actor, holds
from registry.models import RegisteredModel


def may_label(actor: Actor, model: RegisteredModel) -> bool:
    """Send labels: whoever may ask for predictions may say how they came out."""
    return holds(actor, "predict", model)


def may_set_rules(actor: Actor, model: RegisteredModel) -> bool:
    """Make, change and retire alert rules: operators, and those who administer the model."""
    return holds(actor, "deploy", model) or holds(actor, "administer", model)


def may_handle_incidents(actor: Actor, model: RegisteredModel) -> bool:
    """Acknowledge, comment, resolve and write the post-mortem: those who run or own the model."""
    return any(holds(actor, right, model) for right in ("roll_back", "deploy", "register", "administer"))


def may_set_prices(actor: Actor) -> bool:
    return holds(actor, "administer")
