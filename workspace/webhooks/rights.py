"""Who may have events sent somewhere."""

from accounts.actors import actor_for
from core.actors import Actor, holds
from registry.models import RegisteredModel
from workspace.webhooks.models import Webhook


def may_manage(actor: Actor, model: RegisteredModel | None) -> bool:
    """Webhooks of everything are the admins'; those of one model its administrators'."""
    return holds(actor, "administer", model)


def may_go_on(webhook: Webhook) -> bool:
    """Whether a webhook of one model still has somebody behind it who administers that model.

    Webhooks of everything belong to the installation and outlive the admin who made them.
    """
    if webhook.model is None or webhook.created_by is None:
        return True
    return may_manage(actor_for(webhook.created_by), webhook.model)
