"""``webhooks/…`` of the MLflow surface. Only MLflow's own events show here; the rest stays as it is."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.core import signing

from core.actors import Actor
from core.errors import Invalid
from mlflow_api.arguments import Arguments
from mlflow_api.doors import by_method, door
from workspace.webhooks import delivering, services
from workspace.webhooks.catalogue import MLFLOW_EVENTS
from workspace.webhooks.lookups import find_webhook
from workspace.webhooks.models import Delivery, Webhook

MOST, DEFAULT = 1000, 100
SALT = "workspace.webhooks.page"


@door(needs_sight=False)
def create(actor: Actor, sent: Arguments) -> dict[str, Any]:
    webhook, _ = services.create_webhook(
        actor=actor,
        name=sent.text("name"),
        url=sent.text("url"),
        events=_events(sent, required=True),
        description=sent.text("description", ""),
        status=_status(sent) or Webhook.Status.ACTIVE,
        secret=sent.text("secret", ""),
    )
    return {"webhook": described(webhook)}


@door(needs_sight=False)
def listing(actor: Actor, sent: Arguments) -> dict[str, Any]:
    """Newest first; the token names the last one shown."""
    size = sent.number("max_results", default=DEFAULT, largest=MOST)
    rows = Webhook.objects.visible_to(actor).filter(events__overlap=list(MLFLOW_EVENTS)).order_by("-pk")
    if token := sent.text("page_token", ""):
        rows = rows.filter(pk__lt=_position(token))
    found = list(rows[: size + 1])
    answer: dict[str, Any] = {"webhooks": [described(each) for each in found[:size]]}
    if len(found) > size:
        answer["next_page_token"] = signing.dumps(str(found[size - 1].pk), salt=SALT)
    return answer


@door(needs_sight=False)
def get(actor: Actor, sent: Arguments) -> dict[str, Any]:
    return {"webhook": described(_found(actor, sent))}


@door(needs_sight=False)
def update(actor: Actor, sent: Arguments) -> dict[str, Any]:
    """What is sent changes; an empty name or URL is none, as MLflow's clients mean it."""
    webhook = _found(actor, sent)
    changes: dict[str, Any] = {name: sent.text(name, "") for name in ("name", "url") if sent.text(name, "")}
    changes |= {name: sent.text(name, "") for name in ("description", "secret") if sent.has(name)}
    if events := _events(sent, required=False):
        changes["events"] = [*events, *(each for each in webhook.events if each not in MLFLOW_EVENTS)]
    if status := _status(sent):
        changes["status"] = status
    if changes:
        webhook = services.update_webhook(actor=actor, webhook=webhook, **changes)
    return {"webhook": described(webhook)}


@door(needs_sight=False)
def delete(actor: Actor, sent: Arguments) -> dict[str, Any]:
    services.delete_webhook(actor=actor, webhook=_found(actor, sent))
    return {}


@door(needs_sight=False)
def test(actor: Actor, sent: Arguments) -> dict[str, Any]:
    """Sent while the caller waits; what the receiver said is the answer."""
    webhook = _found(actor, sent)
    event = _event(sent.values["event"], "event") if sent.has("event") else _shown(webhook)[0]
    delivery = delivering.send_now(actor=actor, webhook=webhook, event=event)
    result: dict[str, Any] = {"success": delivery.status == Delivery.Status.DELIVERED}
    if delivery.response_status is not None:
        result |= {"response_status": delivery.response_status, "response_body": delivery.response_body}
    if delivery.failure:
        result["error_message"] = delivery.failure
    return {"result": result}


def described(webhook: Webhook) -> dict[str, Any]:
    """A webhook as MLflow's clients read it; never its secret."""
    return {
        "webhook_id": str(webhook.pk),
        "name": webhook.name,
        "url": webhook.url,
        "events": [
            dict(zip(("entity", "action"), each.upper().split("."), strict=True)) for each in _shown(webhook)
        ],
        **({"description": webhook.description} if webhook.description else {}),
        "status": webhook.status,
        "creation_timestamp": int(webhook.created_at.timestamp() * 1000),
        "last_updated_timestamp": int(webhook.last_updated_at.timestamp() * 1000),
    }


def _found(actor: Actor, sent: Arguments) -> Webhook:
    webhook = find_webhook(actor, sent.text("webhook_id"))
    if not _shown(webhook):
        raise Invalid(
            "This webhook listens to none of MLflow's events; use /api/v1/webhooks.", field="webhook_id"
        )
    return webhook


def _shown(webhook: Webhook) -> list[str]:
    return [each for each in webhook.events if each in MLFLOW_EVENTS]


def _events(sent: Arguments, *, required: bool) -> list[str]:
    values: Sequence[Any] | None = sent.values.get("events")
    if not values and not required:
        return []
    if not isinstance(values, list) or not values:
        raise Invalid(
            "events must be a list of {entity, action}.", field="events", allowed=list(MLFLOW_EVENTS)
        )
    return [_event(each, f"events[{index}]") for index, each in enumerate(values)]


def _event(value: Any, field: str) -> str:
    """``{"entity": "MODEL_VERSION", "action": "CREATED"}`` as one word."""
    parts = [value.get("entity"), value.get("action")] if isinstance(value, dict) else []
    name = ".".join(each.lower() for each in parts if isinstance(each, str))
    if name not in MLFLOW_EVENTS:
        raise Invalid(f"{field} is no event that is sent here.", field=field, allowed=list(MLFLOW_EVENTS))
    return name


def _status(sent: Arguments) -> str:
    return services.checked_status(sent.text("status")) if sent.text("status", "") else ""


def _position(token: str) -> uuid.UUID:
    try:
        return uuid.UUID(signing.loads(token, salt=SALT))
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        raise Invalid("page_token is not one that was given out here.", field="page_token") from None


webhooks = by_method(POST=create, GET=listing)
webhook = by_method(GET=get, PATCH=update, DELETE=delete)
webhook_test = by_method(POST=test)
