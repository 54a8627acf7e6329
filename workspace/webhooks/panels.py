"""Webhooks of one model, on the model's page, for who administers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.actors import Actor
from registry.models import RegisteredModel
from workspace.webhooks.models import Webhook
from workspace.webhooks.rights import may_manage


def webhooks_of_models(actor: Actor, models: Sequence[RegisteredModel]) -> dict[Any, dict[str, Any]]:
    """Those that listen to the model alone; nothing for who may not manage them."""
    managed = [model for model in models if may_manage(actor, model)]
    found: dict[Any, list[Webhook]] = {model.pk: [] for model in managed}
    for webhook in Webhook.objects.visible_to(actor).filter(model__in=managed).order_by("name"):
        found[webhook.model_id].append(webhook)
    return {key: {"webhooks": webhooks} for key, webhooks in found.items()}
