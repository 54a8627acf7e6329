"""Changes to webhooks, and sending again what did not arrive."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed, PreconditionFailed
from core.jobs import enqueue
from core.sealing import reseal, seal
from core.text import checked_text, storable_text
from registry.models import RegisteredModel
from workspace.webhooks import rights
from workspace.webhooks.addresses import checked_url
from workspace.webhooks.catalogue import EVERY_EVENT, example_of
from workspace.webhooks.models import Delivery, Webhook
from workspace.webhooks.outbox import DELIVER, body_of
from workspace.webhooks.signing import new_secret

UNCHANGED: Any = object()
NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\Z")
LONGEST_SECRET = 500
MOST_WEBHOOKS = 200
BOTH_SECRETS_FOR = timedelta(days=1)


@command
def create_webhook(
    *,
    actor: Actor,
    name: str,
    url: str,
    events: Sequence[str],
    description: str = "",
    model: RegisteredModel | None = None,
    status: str = Webhook.Status.ACTIVE,
    secret: str | None = None,
) -> tuple[Webhook, str]:
    """Have events sent to an address; the secret is answered this once and then only sealed.

    ``secret`` None makes one; the empty text sends unsigned, as MLflow's clients may ask for.
    """
    _require(actor, model)
    # Counted per model (those of all models by themselves): no team uses up what others need.
    if Webhook.objects.existing().filter(model=model).count() >= MOST_WEBHOOKS:
        raise Conflict(f"There are {MOST_WEBHOOKS} such webhooks already; delete one first.")
    secret = new_secret() if secret is None else checked_secret(secret)
    webhook = Webhook.objects.create(
        name=checked_name(name),
        url=checked_url(url),
        events=checked_events(events),
        description=checked_text(description or "", "description", 1000, multiline=True),
        model=model,
        status=checked_status(status),
        sealed_secret=seal(secret) if secret else "",
        created_by_id=actor.account_id,
        created_by_name=actor.account_name,
    )
    record(actor=actor, action="workspace.webhook_created", target=webhook, after=_facts(webhook))
    webhook.refresh_from_db()
    return webhook, secret


@command
def update_webhook(
    *,
    actor: Actor,
    webhook: Webhook,
    name: str = UNCHANGED,
    url: str = UNCHANGED,
    events: Sequence[str] = UNCHANGED,
    description: str = UNCHANGED,
    status: str = UNCHANGED,
    secret: str = UNCHANGED,
    expected_rev: int | None = None,
) -> Webhook:
    """Change what is sent where; enabling it anew forgets that it did not answer."""
    row = _locked(actor, webhook, expected_rev)
    before = _facts(row)
    if name is not UNCHANGED:
        row.name = checked_name(name)
    if url is not UNCHANGED:
        row.url = checked_url(url)
    if events is not UNCHANGED:
        row.events = checked_events(events)
    if description is not UNCHANGED:
        row.description = checked_text(description, "description", 1000, multiline=True)
    if status is not UNCHANGED:
        row.status = checked_status(status)
        row.disabled_reason, row.failures, row.held_until = "", 0, None
    if secret is not UNCHANGED:
        text = checked_secret(secret)
        row.sealed_secret, row.former_sealed_secret = (seal(text) if text else ""), ""
    _save(row)
    after = {**_facts(row), **({"signing_changed": True} if secret is not UNCHANGED else {})}
    record(actor=actor, action="workspace.webhook_updated", target=row, before=before, after=after)
    return row


@command
def rotate_secret(*, actor: Actor, webhook: Webhook, expected_rev: int | None = None) -> tuple[Webhook, str]:
    """Make a new secret, answered this once; for a day the former one signs too."""
    row = _locked(actor, webhook, expected_rev)
    secret = new_secret()
    row.former_sealed_secret, row.sealed_secret = row.sealed_secret, seal(secret)
    row.former_until = Now() + BOTH_SECRETS_FOR  # type: ignore[assignment]
    _save(row)
    record(actor=actor, action="workspace.webhook_signing_changed", target=row)
    return row, secret


@command
def delete_webhook(*, actor: Actor, webhook: Webhook, expected_rev: int | None = None) -> None:
    """Send nothing more; what was sent stays in the log, the secret is gone."""
    row = _locked(actor, webhook, expected_rev)
    row.sealed_secret = row.former_sealed_secret = ""
    row.deleted_at = Now()  # type: ignore[assignment]
    _save(row)
    give_up(row, "The webhook was deleted.")
    record(actor=actor, action="workspace.webhook_deleted", target=row, before=_facts(row))


@command
def send_test(*, actor: Actor, webhook: Webhook, event: str | None = None) -> Delivery:
    """Write a delivery with example data; its sender is the caller's (see ``delivering``)."""
    _require(actor, webhook.model)
    chosen = checked_events([event])[0] if event else webhook.events[0]
    delivery = Delivery.objects.create(
        webhook=webhook, event=chosen, body=body_of(chosen, example_of(chosen)), is_test=True
    )
    record(actor=actor, action="workspace.webhook_tested", target=webhook, extra={"event": chosen})
    return delivery


@command
def replay_delivery(*, actor: Actor, delivery: Delivery) -> Delivery:
    """Send a delivery again, under the same id, whether or not it once arrived."""
    webhook = delivery.webhook
    _require(actor, webhook.model)
    if not webhook.is_active:
        raise Conflict(f"The {webhook} is disabled; enable it before sending again.")
    if delivery.status == Delivery.Status.PENDING:
        raise Conflict("This delivery is still being tried; it will be sent without asking.")
    delivery.move_to(Delivery.Status.PENDING, tried=0, next_attempt_at=None, failure="")
    enqueue(DELIVER, subject=delivery, actor=actor)
    record(
        actor=actor,
        action="workspace.webhook_replayed",
        target=webhook,
        extra={"delivery": str(delivery.pk), "event": delivery.event},
    )
    return delivery


@command
def disable_webhook(*, actor: Actor, webhook: Webhook, reason: str) -> Webhook:
    """Send nothing more until somebody enables it: the receiver or its maker's rights are gone."""
    row = Webhook.objects.select_for_update(of=("self",)).get(pk=webhook.pk)
    if not (actor.is_system or rights.may_manage(actor, row.model)):
        raise NotAllowed("You may not disable this webhook; it needs the right to administer.")
    if not row.is_active:
        return row
    row.status, row.disabled_reason = Webhook.Status.DISABLED, reason
    _save(row)
    give_up(row, reason)
    record(
        actor=actor,
        action="workspace.webhook_disabled",
        target=row,
        after={"status": row.status},
        reason=reason,
    )
    return row


@command
def reseal_secrets(*, actor: Actor) -> int:
    """Move every sealed secret to the newest envelope key; all or none."""
    if not actor.is_system:
        raise NotAllowed("Secrets are sealed anew from the command line.")
    rows = list(Webhook.objects.existing().exclude(sealed_secret="").select_for_update())
    for row in rows:
        former = reseal(row.former_sealed_secret) if row.former_sealed_secret else ""
        Webhook.objects.filter(pk=row.pk).update(
            sealed_secret=reseal(row.sealed_secret), former_sealed_secret=former
        )
    record(actor=actor, action="workspace.secrets_resealed", after={"webhooks": len(rows)})
    return len(rows)


def give_up(webhook: Webhook, why: str) -> None:
    """What still waits for this webhook waits no more; it can be replayed."""
    webhook.deliveries.pending().update(status=Delivery.Status.DEAD, failure=why, next_attempt_at=None)


def checked_name(value: object) -> str:
    if not isinstance(value, str) or not NAME.match(value):
        raise Invalid(
            "name must be 1 to 63 letters, digits, '.', '_' or '-', beginning and ending with a letter or digit.",
            field="name",
            allowed="1 to 63 of A-Z a-z 0-9 . _ -",
        )
    return value


def checked_events(values: object) -> list[str]:
    """The events in the order of the catalogue, each once."""
    if not isinstance(values, list | tuple) or not values:
        raise Invalid("events must name at least one event.", field="events", allowed=list(EVERY_EVENT))
    for index, each in enumerate(values):
        if each not in EVERY_EVENT:
            raise Invalid(
                f"events[{index}] is {str(each)[:100]!r}, which is no event that can be subscribed to.",
                field=f"events[{index}]",
                allowed=list(EVERY_EVENT),
            )
    return [event for event in EVERY_EVENT if event in values]


def checked_status(value: object) -> str:
    if value not in Webhook.Status.values:
        raise Invalid(
            "status must be ACTIVE or DISABLED.", field="status", allowed=list(Webhook.Status.values)
        )
    return str(value)


def checked_secret(value: object) -> str:
    return storable_text(value, "secret", LONGEST_SECRET)


def _require(actor: Actor, model: RegisteredModel | None) -> None:
    if not rights.may_manage(actor, model):
        raise NotAllowed(
            f"You may not have events of {model} sent elsewhere; it needs the right to administer it."
            if model
            else "You may not have events of all models sent elsewhere; it needs the right to administer,"
            " which the role admin has."
        )


def _locked(actor: Actor, webhook: Webhook, expected_rev: int | None) -> Webhook:
    _require(actor, webhook.model)
    row = Webhook.objects.existing().select_for_update(of=("self",)).filter(pk=webhook.pk).first()
    if row is None:
        raise Conflict("The webhook has just been deleted.")
    if expected_rev is not None and row.rev != expected_rev:
        raise PreconditionFailed("The webhook has changed since you read it.")
    return row


def _save(row: Webhook) -> None:
    row.rev = F("rev") + 1  # type: ignore[assignment]
    row.last_updated_at = Now()  # type: ignore[assignment]
    row.save()
    row.refresh_from_db()


def _facts(webhook: Webhook) -> dict[str, Any]:
    """What the trail says; addresses may carry a token in their query, which stays out of it."""
    return {
        "name": webhook.name,
        "url": webhook.url.partition("?")[0],
        "events": webhook.events,
        "description": webhook.description,
        "status": webhook.status,
        "model": str(webhook.model_id) if webhook.model_id else None,
    }
