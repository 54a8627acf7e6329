"""The workers' door: pricing days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from core.actors import Actor
from core.jobs import Lease, job, periodic
from monitoring.costs.services import price_day


@periodic("monitoring_costs.price_days", every=timedelta(minutes=1))
@job("monitoring_costs.price_days", queue="monitoring", limit=timedelta(minutes=20))
def price_days(lease: Lease) -> dict[str, Any]:
    """Price the days from ``from`` (default yesterday) to today again."""
    today = datetime.now(UTC).date()
    asked = lease.payload.get("from")
    day = date.fromisoformat(asked) if asked else today - timedelta(days=1)
    entries = 0
    while day <= today:
        lease.progress(0, f"Pricing {day}")
        entries += price_day(actor=Actor.system(lease), day=day)
        day += timedelta(days=1)
    return {"entries": entries}
