"""Who may have events sent somewhere."""

from core.actors import Actor, holds
from registry.models import RegisteredModel


def may_manage(actor: Actor, model: RegisteredModel | None) -> bool:
    """Webhooks of everything are the admins'; those of one model its administrators'."""
    return holds(actor, "administer", model)
