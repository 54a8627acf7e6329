"""What a day's metered use costs, entry by entry. Times are the database's, not event time."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Sum

from core.jobs.models import Job
from deployments.models import ScorerUsage
from monitoring.costs.models import CostEntry, PriceRule, Resource
from monitoring.models import Granularity, HealthWindow
from registry.models import ModelVersion, RegisteredModel

GIB = 1 << 30
HOUR = 3600.0
DAYS_PER_MONTH = 30.4375
PLACES = Decimal("0.00000001")

Key = tuple[uuid.UUID | None, uuid.UUID | None, str, str, str]


@dataclass(frozen=True)
class Use:
    """A quantity of a resource, in the unit its price is for."""

    model: uuid.UUID | None
    version: uuid.UUID | None
    activity: str
    detail: str
    resource: str
    quantity: float


def priced_day(day: date) -> list[CostEntry]:
    """The entries of a day; use without a price rule is left out."""
    rules = PriceRule.objects.in_force_on(day)
    totals: dict[Key, float] = defaultdict(float)
    for use in (*_serving(day), *_requests(day), *_jobs(day), *_storage(day)):
        totals[use.model, use.version, use.activity, use.detail, use.resource] += use.quantity
    return [
        _entry(day, key, quantity, rules[key[4]])
        for key, quantity in totals.items()
        if quantity > 0 and key[4] in rules
    ]


def _entry(day: date, key: Key, quantity: float, rule: PriceRule) -> CostEntry:
    model, version, activity, detail, resource = key
    amount = Decimal(repr(quantity)).quantize(PLACES)
    return CostEntry(
        day=day,
        model_id=model,
        version_id=version,
        activity=activity,
        detail=detail,
        resource=resource,
        quantity=amount,
        price_usd=rule.price_usd,
        amount_usd=(amount * rule.price_usd).quantize(PLACES),
        rule=rule,
    )


def _span(day: date) -> tuple[datetime, datetime]:
    start = datetime.combine(day, time.min, UTC)
    return start, start + timedelta(days=1)


def _serving(day: date) -> Iterator[Use]:
    """Scorers, as the agent meters them by the hour."""
    start, end = _span(day)
    usage = ScorerUsage.objects.filter(hour__gte=start, hour__lt=end).select_related("deployment__endpoint")
    for row in usage:
        deployment = row.deployment
        is_shadow = deployment.slot == "shadow"
        activity = CostEntry.Activity.SHADOW if is_shadow else CostEntry.Activity.SERVING
        about = (deployment.endpoint.model_id, deployment.version_id, str(activity), "scorer")
        yield Use(*about, Resource.CPU, row.cpu_seconds / HOUR)
        yield Use(*about, Resource.MEMORY, row.memory_byte_seconds / GIB / HOUR)


def _requests(day: date) -> Iterator[Use]:
    start, end = _span(day)
    windows = HealthWindow.objects.filter(
        granularity=Granularity.HOUR, role="served", starts_at__gte=start, starts_at__lt=end
    )
    for model, version, count in (
        windows.order_by()
        .values_list("watch__endpoint__model", "version")
        .annotate(Sum("requests"))
        .values_list("watch__endpoint__model", "version", "requests__sum")
    ):
        yield Use(model, version, CostEntry.Activity.SERVING, "gateway", Resource.REQUESTS, count / 1000)


def _jobs(day: date) -> Iterator[Use]:
    """CPU of ended jobs and of their sandboxes, and their peak memory for as long as they ran."""
    start, end = _span(day)
    jobs = Job.objects.filter(finished_at__gte=start, finished_at__lt=end, started_at__isnull=False)
    rows = list(
        jobs.values_list("kind", "model_id", "cpu_seconds", "peak_memory_bytes", "started_at", "finished_at")
    )
    asked = {model for _, model, *_ in rows if model}
    known = set(RegisteredModel.objects.existing().filter(pk__in=asked).values_list("pk", flat=True))
    for kind, model, cpu_seconds, memory_bytes, began, ended in rows:
        if began is None or ended is None:
            continue
        about = (model if model in known else None, None, str(CostEntry.Activity.JOBS), kind[:100])
        yield Use(*about, Resource.CPU, cpu_seconds / HOUR)
        seconds = max(0.0, (ended - began).total_seconds())
        yield Use(*about, Resource.MEMORY, memory_bytes / GIB * seconds / HOUR)


def _storage(day: date) -> Iterator[Use]:
    """Artifacts kept at the end of the day, as a day's part of a month."""
    _, end = _span(day)
    kept = ModelVersion.objects.existing().filter(created_at__lt=end, size__gt=0)
    for model, total in kept.order_by().values_list("model").annotate(Sum("size")):
        yield Use(
            model,
            None,
            CostEntry.Activity.STORAGE,
            "artifacts",
            Resource.STORAGE,
            total / GIB / DAYS_PER_MONTH,
        )
