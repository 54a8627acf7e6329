"""Finding webhooks and deliveries among what the caller may see."""

from __future__ import annotations

import uuid
from contextlib import suppress

from core.actors import Actor
from core.errors import NotFound
from workspace.webhooks.models import Delivery, Webhook


def find_webhook(actor: Actor, key: uuid.UUID | str) -> Webhook:
    found = None
    with suppress(ValueError):
        rows = Webhook.objects.visible_to(actor).select_related("model")
        found = rows.filter(pk=uuid.UUID(str(key))).first()
    if found is None:
        raise NotFound(f"Webhook with ID {str(key)[:64]} not found.")
    return found


def find_delivery(actor: Actor, key: uuid.UUID | str) -> Delivery:
    deliveries = Delivery.objects.visible_to(actor).select_related("webhook__model")
    found = deliveries.filter(pk=key).first()
    if found is None:
        raise NotFound(f"There is no delivery {key}.")
    return found
