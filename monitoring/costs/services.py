"""Changing prices, and pricing days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed
from core.etags import etag_of
from core.jobs import enqueue
from core.text import checked_text
from monitoring import rights
from monitoring.costs.models import CostEntry, PriceRule, Resource
from monitoring.costs.pricing import priced_day

HIGHEST = Decimal(1_000_000)
LONGEST_REPRICE = timedelta(days=92)
FIRST_DAY = date(2000, 1, 1)


@command
def set_price(*, actor: Actor, resource: str, price_usd: Any, valid_from: Any, source: str) -> PriceRule:
    """A resource costs this from a day on; the days since then are priced again."""
    _require(actor)
    if resource not in Resource.values:
        allowed = ", ".join(Resource.values)
        raise Invalid(f"resource must be one of: {allowed}.", field="resource", allowed=allowed)
    price, day = _price(price_usd), _day(valid_from)
    same = PriceRule.objects.select_for_update().filter(
        resource=resource, valid_from=day, retired_at__isnull=True
    )
    before = [{"price_usd": str(rule.price_usd), "source": rule.source} for rule in same]
    same.update(retired_at=Now(), rev=F("rev") + 1)
    rule = PriceRule.objects.create(
        resource=resource,
        price_usd=price,
        valid_from=day,
        source=checked_text(source, "source", 300, min_length=1),
        created_by_name=actor.account_name,
    )
    rule.refresh_from_db(fields=["created_at"])
    after = {
        "resource": resource,
        "price_usd": str(price),
        "valid_from": day.isoformat(),
        "source": rule.source,
    }
    record(
        actor=actor,
        action="monitoring.price_set",
        target=rule,
        before=before[0] if before else None,
        after=after,
    )
    _price_again(actor, day)
    return rule


@command
def retire_price(*, actor: Actor, rule: PriceRule) -> None:
    """Take a price back; the one before it counts again. A resource keeps at least one price."""
    _require(actor)
    others = PriceRule.objects.select_for_update().filter(resource=rule.resource, retired_at__isnull=True)
    if rule.pk not in {other.pk for other in others}:
        raise Conflict(f"The price {rule} is retired already.", code="price_retired")
    if len(others) == 1:
        raise Conflict(
            f"{rule} is the only price of {rule.get_resource_display()}; set another one first.",
            code="only_price",
        )
    PriceRule.objects.filter(pk=rule.pk).update(retired_at=Now(), rev=F("rev") + 1)
    record(actor=actor, action="monitoring.price_retired", target=rule)
    _price_again(actor, rule.valid_from)


@command
def price_day(*, actor: Actor, day: date) -> int:
    """Replace the cost entries of a day by what its metered use costs; answer how many there are."""
    if not actor.is_system:
        raise NotAllowed("Only a worker prices days.")
    entries = priced_day(day)
    CostEntry.objects.filter(day=day).delete()
    CostEntry.objects.bulk_create(entries)
    return len(entries)


def price_etag(rule: PriceRule) -> str:
    return etag_of("price-rule", rule.pk, rule.rev, rule.retired_at)


def _price_again(actor: Actor, since: date) -> None:
    today = datetime.now(UTC).date()
    first = max(since, today - LONGEST_REPRICE)
    if first <= today:
        enqueue("monitoring_costs.price_days", payload={"from": first.isoformat()}, actor=actor)


def _price(value: Any) -> Decimal:
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        price = Decimal("NaN")
    if isinstance(value, bool) or not price.is_finite() or not 0 <= price <= HIGHEST:
        raise Invalid(
            "price_usd must be an amount from 0 to 1,000,000.", field="price_usd", allowed="0 to 1000000"
        )
    exponent = price.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -6:
        raise Invalid(
            "price_usd has at most six decimal places.", field="price_usd", allowed="six decimal places"
        )
    return price


def _day(value: Any) -> date:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Invalid(
            "valid_from must be a day as 2026-01-31.", field="valid_from", allowed="YYYY-MM-DD"
        ) from None
    if not FIRST_DAY <= day <= datetime.now(UTC).date() + timedelta(days=3660):
        raise Invalid("valid_from must lie between 2000 and ten years from now.", field="valid_from")
    return day


def _require(actor: Actor) -> None:
    if not rights.may_set_prices(actor):
        raise NotAllowed(
            "You may not change prices; it needs the right to administer, which the role admin has."
        )
