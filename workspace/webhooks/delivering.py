"""One attempt to bring a delivery to its receiver, and what follows from the answer.

The call happens outside of any transaction. A receiver that is silent is left alone for a while,
so that its time-outs cost a worker seconds and not minutes; the others are not delayed.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from core.actors import Actor
from core.errors import Conflict
from core.jobs import enqueue
from core.sealing import unseal
from workspace.webhooks import rights, services
from workspace.webhooks.models import Delivery, Webhook
from workspace.webhooks.outbox import DELIVER
from workspace.webhooks.signing import headers_for

if TYPE_CHECKING:
    from workspace.webhooks.backends import Answer

# Pauses between attempts; after the last one the delivery is given up (about 29 hours).
PAUSES = (5, 30, 120, 600, 3600, 4 * 3600, 24 * 3600)
LONGEST_HOLD = 600
KEPT_ATTEMPTS = 10
GONE = 410
ORPHANED = "Whoever created it may no longer administer the model."
Status = Delivery.Status


def attempt(*, actor: Actor, delivery: Delivery) -> Delivery:
    """Send it now, unless it is over, too early, or its receiver is left alone for the moment."""
    webhook = Webhook.objects.select_related("model", "created_by__person").get(pk=delivery.webhook_id)
    if delivery.status != Status.PENDING:
        return delivery
    if webhook.is_active and not rights.may_go_on(webhook):
        services.disable_webhook(actor=actor, webhook=webhook, reason=ORPHANED)
        delivery.refresh_from_db()
        return delivery
    if not webhook.is_active and not delivery.is_test:
        delivery.move_to(Status.DEAD, failure="The webhook is disabled.", next_attempt_at=None)
        return delivery
    if not delivery.is_test and webhook.held_until and webhook.held_until > timezone.now():
        _put_off(delivery, webhook.held_until)
        return delivery
    from workspace.webhooks.backends import call  # noqa: PLC0415 - requests is for who delivers (3 MB)

    began = datetime.now(UTC)
    answer = call(webhook.url, _headers(webhook, delivery), delivery.body)
    _note(actor, webhook, delivery, answer, began)
    return delivery


def _headers(webhook: Webhook, delivery: Delivery) -> dict[str, str]:
    sealed = [webhook.sealed_secret]
    if webhook.former_until and webhook.former_until > timezone.now():
        sealed.append(webhook.former_sealed_secret)
    keys = [unseal(each) for each in sealed if each]
    signed = headers_for(str(delivery.pk), int(time.time()), delivery.body, keys)
    return {"Content-Type": "application/json", "Accept": "*/*", **signed}


def _note(actor: Actor, webhook: Webhook, delivery: Delivery, answer: Answer, began: datetime) -> None:
    """Keep the outcome; a second worker that raced us with the same delivery changes nothing."""
    known: dict[str, Any] = {
        "attempt_count": delivery.attempt_count + 1,
        "tried": delivery.tried + 1,
        "response_status": answer.status,
        "response_body": answer.body,
        "failure": answer.failure or ("" if answer.is_good else f"The receiver answered {answer.status}."),
    }
    entry = {"at": began.isoformat(), "status": answer.status, "ms": answer.milliseconds, "failure": known["failure"]}  # fmt: skip
    known["attempts"] = [*delivery.attempts, entry][-KEPT_ATTEMPTS:]
    with transaction.atomic():
        _note_receiver(webhook, answer)
        if answer.is_good:
            _move(delivery, Status.DELIVERED, delivered_at=Now(), next_attempt_at=None, **known)
        elif delivery.is_test or answer.status == GONE or delivery.tried >= len(PAUSES):
            _move(delivery, Status.DEAD, next_attempt_at=None, **known)
        else:
            again = timezone.now() + _pause(delivery.tried)
            if _move(delivery, Status.PENDING, next_attempt_at=again, **known):
                enqueue(DELIVER, subject=delivery, run_after=again)
    if answer.status == GONE:
        services.disable_webhook(actor=actor, webhook=webhook, reason="The receiver answered 410 Gone.")


def _move(delivery: Delivery, status: str, **fields: object) -> bool:
    """Compare-and-set on the number of attempts, so that two senders count as one."""
    mine = Delivery.objects.filter(
        pk=delivery.pk, status=Status.PENDING, attempt_count=delivery.attempt_count
    )
    if not mine.update(status=status, **fields):
        return False
    delivery.refresh_from_db()
    return True


def _note_receiver(webhook: Webhook, answer: Answer) -> None:
    """Only silence counts: an error that comes at once holds nobody up."""
    same = Webhook.objects.filter(pk=webhook.pk)
    if answer.is_silence:
        hold = timedelta(seconds=min(LONGEST_HOLD, 5 * 2 ** min(webhook.failures, 10)))
        same.update(failures=F("failures") + 1, held_until=Now() + hold)
    else:
        same.filter(~Q(failures=0) | Q(held_until__isnull=False)).update(failures=0, held_until=None)


def _put_off(delivery: Delivery, until: datetime) -> None:
    """Not an attempt: it waits until the receiver is asked again, spread over a few seconds."""
    again = until + timedelta(seconds=random.uniform(0, 5))  # noqa: S311 - spreads load, hides nothing
    with transaction.atomic():
        if _move(delivery, Status.PENDING, next_attempt_at=again):
            enqueue(DELIVER, subject=delivery, run_after=again)


def _pause(tried: int) -> timedelta:
    """The next pause, up to a fifth longer, so that receivers are not asked by all at once."""
    seconds = PAUSES[min(tried, len(PAUSES) - 1)]
    return timedelta(seconds=seconds * random.uniform(1, 1.2))  # noqa: S311 - spreads load, hides nothing


def send_now(*, actor: Actor, webhook: Webhook, event: str | None = None) -> Delivery:
    """A test delivery, sent while the caller waits; it is never tried again."""
    if webhook.deleted_at is not None:
        raise Conflict("The webhook has just been deleted.")
    return attempt(actor=actor, delivery=services.send_test(actor=actor, webhook=webhook, event=event))
