"""Refusals before a form is read: who may not change something learns that first, and the ledger too."""

from audit.services import command
from core.actors import Actor
from core.errors import NotAllowed
from registry import rights
from registry.models import RegisteredModel


@command
def require_describing(*, actor: Actor, model: RegisteredModel) -> None:
    """Refuse who may set no alias or tag of the model, and delete none of its versions."""
    if not rights.may_describe(actor, model):
        raise NotAllowed(
            f"You may not change aliases, tags or versions of {model}; it needs the right to register."
        )


@command
def require_administering(*, actor: Actor, model: RegisteredModel) -> None:
    """Refuse who may neither rename nor delete the model."""
    if not rights.may_administer(actor, model):
        raise NotAllowed(f"You may not rename or delete {model}; it needs the right to administer.")
