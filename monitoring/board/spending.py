"""What a model costs: by the day served, by activity, and per 1,000 predictions."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from core import charts
from core.actors import Actor
from core.money import money
from core.templatetags.ui import percent
from monitoring.board.scope import RANGES, day_words
from monitoring.costs.models import CostEntry
from monitoring.models import Granularity, HealthWindow, Role

COLOURS = ("s1", "s2", "s3", "s4")
ACTIVITY_WORDS = dict(CostEntry.Activity.choices)
ORDER = [str(activity) for activity in CostEntry.Activity]


@dataclass
class Spending:
    """Amounts by key (a model's name, or an activity) and day, in USD."""

    days: list[date]
    by_key: dict[str, dict[date, Decimal]] = field(default_factory=dict)
    predictions: int = 0

    @property
    def total(self) -> Decimal:
        return sum((sum(days.values(), Decimal(0)) for days in self.by_key.values()), Decimal(0))

    @property
    def by_day(self) -> list[Decimal]:
        return [
            sum((days.get(day, Decimal(0)) for days in self.by_key.values()), Decimal(0)) for day in self.days
        ]

    @property
    def per_1000(self) -> Decimal | None:
        """All costs of the range over all predictions answered in it."""
        return self.total * 1000 / self.predictions if self.predictions else None

    @property
    def spent_days(self) -> int:
        """Days with an entry: a model that began yesterday is not averaged over a month."""
        return max(1, sum(amount > 0 for amount in self.by_day))

    @property
    def a_day(self) -> Decimal:
        return self.total / self.spent_days


def days_of(range_name: str) -> list[date]:
    """The days of a range that ends today."""
    today = timezone.now().astimezone(UTC).date()
    length = max(2, RANGES[range_name])
    return [today - timedelta(days=length - 1 - number) for number in range(length)]


def of_model(model: uuid.UUID, range_name: str) -> Spending:
    """What one model cost, by activity."""
    days = days_of(range_name)
    rows = CostEntry.objects.filter(model=model, day__gte=days[0]).order_by()
    found: dict[str, dict[date, Decimal]] = defaultdict(dict)
    for day, activity, usd in rows.values_list("day", "activity").annotate(usd=Sum("amount_usd")):
        found[activity][day] = usd
    by_key = {str(ACTIVITY_WORDS[name]): found[name] for name in ORDER if name in found}
    return Spending(days, by_key, predictions_since(days[0], [model]).get(model, 0))


def of_everything(actor: Actor, range_name: str) -> tuple[Spending, dict[str, Spending]]:
    """What everything the actor may see cost, by model; and each model's own spending by activity."""
    days = days_of(range_name)
    rows = CostEntry.objects.visible_to(actor).filter(day__gte=days[0]).order_by()
    amounts = rows.values_list("day", "model", "model__name", "activity").annotate(usd=Sum("amount_usd"))
    whole: dict[str, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    each: dict[str, Spending] = {}
    ids: dict[uuid.UUID, str] = {}
    for day, model, name, activity, usd in amounts:
        key = name or "Not of one model"
        whole[key][day] += usd
        own = each.setdefault(key, Spending(days)).by_key.setdefault(str(ACTIVITY_WORDS[activity]), {})
        own[day] = own.get(day, Decimal(0)) + usd
        if model is not None:
            ids[model] = key
    for model, count in predictions_since(days[0], list(ids)).items():
        each[ids[model]].predictions = count
    ordered = dict(sorted(whole.items(), key=lambda item: -sum(item[1].values())))
    total = sum(spending.predictions for spending in each.values())
    return Spending(days, {key: dict(days_) for key, days_ in ordered.items()}, total), each


def predictions_since(day: date, models: list[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Rows answered to people since the day, by model."""
    rows = HealthWindow.objects.filter(
        watch__endpoint__model__in=models,
        role=Role.SERVED,
        granularity=Granularity.HOUR,
        starts_at__date__gte=day,
    ).order_by()
    return dict(rows.values_list("watch__endpoint__model").annotate(Sum("rows")))


def cost_figure(spending: Spending, title: str, sub: str) -> dict[str, Any]:
    """Stacked bars by day; beyond four keys the rest is one."""
    if not spending.total:
        return {
            "title": "No cost yet",
            "empty_title": "Nothing was metered in this range",
            "empty_text": "Use is metered by the hour and priced every minute.",
        }
    keys = list(spending.by_key)
    shown, rest = keys[: len(COLOURS)], keys[len(COLOURS) :]
    x = [day.isoformat() for day in spending.days]
    traces, legend, columns = [], [], []
    for key, colour in zip(shown, COLOURS, strict=False):
        amounts = [float(spending.by_key[key].get(day, 0)) for day in spending.days]
        traces.append(charts.bars(x, amounts, key, colour, prefix="$", digits=4))
        legend.append((colour, key))
        columns.append((key, amounts))
    if rest:
        amounts = [
            float(sum(spending.by_key[key].get(day, Decimal(0)) for key in rest)) for day in spending.days
        ]
        name = f"other ({len(rest)})"
        traces.append(charts.bars(x, amounts, name, "s5", prefix="$", digits=4))
        legend.append(("s5", name))
        columns.append((name, amounts))
    return {
        "title": title,
        "sub": sub,
        "legend": legend,
        "figure": charts.figure(traces, barmode="stack", bargap=0.28, yaxis={"tickprefix": "$"}),
        "head": ["Day", *(name for name, _ in columns), "All"],
        "rows": [
            [day_words(day, year=True), *(money(amounts[place]) for _, amounts in columns), money(total)]
            for place, (day, total) in enumerate(zip(spending.days, spending.by_day, strict=True))
        ],
    }


def cost_title(spending: Spending, what: str) -> str:
    """Which part costs most."""
    if not spending.by_key:
        return "No cost yet"
    key, days = max(spending.by_key.items(), key=lambda item: sum(item[1].values()))
    share = sum(days.values()) / spending.total if spending.total else 0
    return f"{key} makes {percent(share, 0)} of {what}"
