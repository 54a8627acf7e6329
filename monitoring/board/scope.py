"""What a monitoring page is about: endpoint, range of event time, and what is picked in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import Min
from django.utils import timezone

from core.errors import Invalid, NotFound
from core.text import storable_text
from deployments.models import Endpoint
from monitoring.incidents.models import AlertRule
from monitoring.models import FeatureWindow, Granularity, Reference, Role, Watch
from registry.models import ModelVersion, RegisteredModel

RANGES = {"24h": 1, "7d": 7, "28d": 28, "90d": 90}
RANGE_WORDS = {"24h": "24 h", "7d": "7 d", "28d": "28 d", "90d": "90 d"}
METRIC_WORDS = {"roc_auc": "ROC AUC", "pr_auc": "PR AUC", "brier": "Brier score", "log_loss": "Log loss"}
HIGHER_IS_BETTER = frozenset({"roc_auc", "pr_auc"})


@dataclass
class Scope:
    """One endpoint over a range. Days are of event time and end at the watermark, not now."""

    endpoint: Endpoint
    watch: Watch | None
    range: str = "28d"
    until: date | None = None
    metric: str = "roc_auc"
    window: str = "day"
    feature: str = ""
    environments: list[str] = field(default_factory=list)

    @cached_property
    def kept_rules(self) -> list[AlertRule]:
        """The endpoint's alert rules, those that are switched off too."""
        rows = AlertRule.objects.filter(endpoint=self.endpoint, retired_at__isnull=True)
        return list(rows.order_by("name"))

    @property
    def rules(self) -> list[AlertRule]:
        """Those that are in force."""
        return [each for each in self.kept_rules if each.is_enabled]

    @property
    def model(self) -> RegisteredModel:
        return self.endpoint.model

    @property
    def live(self) -> ModelVersion | None:
        return self.endpoint.live.version if self.endpoint.live else None

    @property
    def last_day(self) -> date | None:
        """The newest day shown; None before anything was logged."""
        if self.until is not None:
            return self.until
        return self.watch.watermark.astimezone(UTC).date() if self.watch and self.watch.watermark else None

    @property
    def days(self) -> list[date]:
        if self.last_day is None:
            return []
        length = RANGES[self.range]
        return [self.last_day - timedelta(days=length - 1 - number) for number in range(length)]

    @property
    def drift_window(self) -> str:
        """Weeks where the range holds some: a Tuesday never looks like a whole season."""
        return str(Granularity.WEEK if RANGES[self.range] >= 28 else Granularity.DAY)

    @property
    def drift_starts(self) -> list[date]:
        """The first day of every drift window that the range touches."""
        if self.drift_window == Granularity.DAY:
            return self.days
        return sorted({day - timedelta(days=day.weekday()) for day in self.days})

    @property
    def served_since(self) -> datetime:
        """Where the range begins on the clock of serving, which ends now."""
        return timezone.now() - timedelta(days=RANGES[self.range])

    @cached_property
    def first_served(self) -> list[tuple[int, date]]:
        """Each version that answered people, and the day of its first event; oldest first."""
        if self.watch is None:
            return []
        rows = (
            FeatureWindow.objects.filter(watch=self.watch, granularity=Granularity.DAY, role=Role.SERVED)
            .order_by()
            .values_list("version__number")
            .annotate(first=Min("starts_on"))
        )
        return sorted(((number, first) for number, first in rows), key=lambda each: (each[1], each[0]))

    @cached_property
    def references(self) -> dict[Any, Reference]:
        """What the model's versions saw in training, by version; without their sketches."""
        rows = Reference.objects.filter(version__model=self.endpoint.model_id).defer("sketch", "frame")
        return {row.version_id: row for row in rows}


def endpoints_of(model: RegisteredModel) -> list[Endpoint]:
    """The model's endpoints, the protected environment's first."""
    related = Endpoint.objects.in_lists().select_related("watch", "live__version__model")
    slim = related.defer(
        *(f"live__version__{name}" for name in ("manifest", "requirements", "signature", "flavours"))
    )
    return list(slim.filter(model=model).order_by("-environment__is_protected", "environment__name"))


def scope_of(model: RegisteredModel, query: Mapping[str, str]) -> Scope:
    """The scope an address asks for; NotFound for an environment without endpoint."""
    endpoints = endpoints_of(model)
    wanted = query.get("environment", "")
    chosen = [each for each in endpoints if not wanted or each.environment.name == wanted]
    if not chosen:
        where = f" in {wanted[:60]}" if wanted else ""
        raise NotFound(f"{model} has no endpoint{where}, so nothing is watched.", code="no_endpoint")
    endpoint = chosen[0]
    return Scope(
        endpoint=endpoint,
        watch=getattr(endpoint, "watch", None),
        range=_choice(query, "range", RANGES, "28d"),
        until=_day(query.get("until", "")),
        metric=_choice(query, "metric", METRIC_WORDS, "roc_auc"),
        window=_choice(query, "window", ("day", "week"), "day"),
        feature=storable_text(query.get("feature", ""), "feature", 300),
        environments=[each.environment.name for each in endpoints],
    )


def _choice(query: Mapping[str, str], name: str, allowed: Any, default: str) -> str:
    value = query.get(name) or default
    if value not in allowed:
        words = ", ".join(allowed)
        raise Invalid(f"{name} must be one of: {words}.", field=name, allowed=words)
    return value


def _day(value: str) -> date | None:
    if not value:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise Invalid("until must be a day as 2013-04-30.", field="until", allowed="YYYY-MM-DD") from None
    if not date(1971, 1, 1) <= day <= date(9000, 1, 1):
        raise Invalid("until must lie between 1971 and 9000.", field="until")
    return day


def day_words(day: date, *, year: bool = False) -> str:
    """``5 Apr`` or ``5 Apr 2013``."""
    return f"{day.day} {day:%b %Y}" if year else f"{day.day} {day:%b}"


def joined(words: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def number_word(count: int) -> str:
    """Small numbers as a sentence begins with them."""
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
    return words[count] if count < len(words) else str(count)
