"""The outbox: rows for whoever listens, written in the transaction of the change itself."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from audit.services import Recorded, on_recorded
from core.hot_reads import fetch_rows
from core.jobs import enqueue
from registry.models import ModelVersion, RegisteredModel
from workspace.webhooks.catalogue import FIELDS, FROM_ACTION, OUR_EVENTS
from workspace.webhooks.models import Delivery

DELIVER = "workspace.deliver_webhook"
PROMPT, TEMPLATE = "mlflow.prompt.is_prompt", "mlflow.prompt.text"
LISTENING = (
    "SELECT id, events FROM workspace_webhooks_webhook WHERE deleted_at IS NULL AND status = 'ACTIVE'"
    " AND events && %s::varchar[] AND (model_id IS NULL OR model_id = %s)"
)


@on_recorded
def write_deliveries(event: Recorded) -> None:
    """One delivery for each webhook that listens; nothing but one probe when none does."""
    names = _names(event)
    if not names or event.outcome == "denied":
        return
    listening = fetch_rows(LISTENING, [names, _model_of(event.target)])
    if not listening:
        return
    happened = _happened(event, names)
    for webhook_id, wanted in listening:
        for name in happened:
            if name in wanted:
                post(webhook_id, name, body_of(name, _data(event, name)))


def post(webhook_id: uuid.UUID, event: str, body: str) -> Delivery:
    """Write the delivery and the job that sends it."""
    delivery = Delivery.objects.create(webhook_id=webhook_id, event=event, body=body)
    enqueue(DELIVER, subject=delivery)
    return delivery


def body_of(event: str, data: dict[str, Any]) -> str:
    """The text that is sent: MLflow's envelope for its events, Standard Webhooks' for ours."""
    now = datetime.now(UTC).isoformat()
    if event in OUR_EVENTS:
        envelope: dict[str, Any] = {"type": event, "timestamp": now, "data": data}
    else:
        entity, _, action = event.partition(".")
        envelope = {"entity": entity, "action": action, "timestamp": now, "data": data}
    return json.dumps(envelope, ensure_ascii=False)


def _names(event: Recorded) -> list[str]:
    """What the event may be called by those who listen."""
    names = [event.action] if event.action in OUR_EVENTS else []
    return names + [name for name in FROM_ACTION.get(_kind(event), ()) if name]


def _kind(event: Recorded) -> str:
    """Tags of models and of versions are one action in the trail and two events here."""
    if event.action in {"registry.tag_set", "registry.tag_deleted"}:
        thing = "version" if isinstance(event.target, ModelVersion) else "model"
        return event.action.replace("tag_", f"{thing}_tag_")
    return event.action


def _happened(event: Recorded, names: list[str]) -> list[str]:
    """The names that are true: a prompt is a registered model that says so by its tag."""
    pair = FROM_ACTION.get(_kind(event))
    if pair is None:
        return names
    model = event.target.model if isinstance(event.target, ModelVersion) else event.target
    is_prompt = model.tags.filter(key=PROMPT, value="true").exists()
    return [name for name in names if name not in pair or name == pair[is_prompt]]


def _model_of(target: Any) -> uuid.UUID | None:
    """The registered model that the target of an event belongs to, if it does."""
    if isinstance(target, RegisteredModel):
        return target.pk
    for name in ("", "version", "candidate", "endpoint"):
        thing = getattr(target, name, None) if name else target
        model_id = getattr(thing, "model_id", None)
        if isinstance(model_id, uuid.UUID):
            return model_id
    return None


def _data(event: Recorded, name: str) -> dict[str, Any]:
    if name in OUR_EVENTS:
        kept = ("id", "action", "outcome", "object", "before", "after", "reason", "extra")
        data = {field: event.body[field] for field in kept if field in event.body}
        return {**data, "actor": event.body["actor"].get("name", "")}
    known = _facts(event)
    return {field: known.get(field) for field in FIELDS[name]}


def _facts(event: Recorded) -> dict[str, Any]:
    """What MLflow's payloads may ask for, from the rows as the change leaves them."""
    target = event.target
    tags = dict(target.tags.values_list("key", "value"))
    key = event.extra.get("tag", "")
    facts = {
        "tags": tags,
        "description": target.description or None,
        "key": key,
        "value": tags.get(key, ""),
        "alias": event.extra.get("alias", ""),
        "version": str(event.extra.get("version", "")),
        "template": tags.get(TEMPLATE, ""),
    }
    if isinstance(target, ModelVersion):
        return {
            **facts,
            "name": target.model.name,
            "version": str(target.number),
            "source": target.source,
            "run_id": target.run_id or None,
        }
    return {**facts, "name": target.name}
