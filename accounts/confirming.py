"""Confirming with one's password: what a browser session alone must not do."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.models import Account
from audit.models import Event
from core.actors import Actor
from core.errors import Invalid, NotAllowed

WRONG = "reauthentication_failed"
MOST_FAILURES = 5
WITHIN = timedelta(minutes=5)
# Of one account within minutes; more events than these cannot hide a failure for long.
EVENTS_LOOKED_AT = 500


class TooManyTries(NotAllowed):
    """A stolen session must not guess the password that makes a signature."""

    status, code, title = 429, "too_many_tries", "Too many tries"


def require_password(actor: Actor, password: str) -> None:
    """Refuse unless the person at the browser has just given the right password.

    The ledger's denied events are the count of failures: they outlive the rolled back transaction
    of a refusal, and need no cache.
    """
    if not actor.is_interactive:
        raise NotAllowed("Signing needs a browser session; a token never signs.", code="interactive_required")
    if not password:
        raise Invalid("Confirm with your password.", field="password", allowed="your password")
    if _recent_failures(actor) >= MOST_FAILURES:
        minutes = int(WITHIN.total_seconds() // 60)
        raise TooManyTries(
            f"The password was wrong {MOST_FAILURES} times, so nothing was signed; wait {minutes} minutes."
        )
    if not Account.objects.get(pk=str(actor.account_id)).check_password(password):
        raise NotAllowed("The password is not right, so nothing was signed.", code=WRONG)


def _recent_failures(actor: Actor) -> int:
    since = timezone.now() - WITHIN
    events = Event.objects.by(actor.account_name).order_by("-id").values_list("recorded_at", "fields")
    return sum(
        moment >= since and fields.get("extra", {}).get("code") == WRONG
        for moment, fields in events[:EVENTS_LOOKED_AT]
    )
