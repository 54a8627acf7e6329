"""Alerts that fire and the rules behind them: on a model's page, and in a word in the list."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from monitoring.board.scope import Scope
from monitoring.incidents.models import Alert, AlertRule, Incident

TONES = {AlertRule.Severity.WARNING: "warn", AlertRule.Severity.CRITICAL: "bad"}


@dataclass(frozen=True)
class RuleRow:
    """A rule with what it says now; ``judged_at`` is None before the first windows."""

    rule: AlertRule
    firing: Alert | None
    judged_at: datetime | None

    @property
    def tone(self) -> str:
        return tone_of(self.firing) if self.firing else "n" if self.is_silent_for_now else "ok"

    @property
    def is_silent_for_now(self) -> bool:
        return not self.rule.is_enabled or self.judged_at is None

    @property
    def word(self) -> str:
        if self.firing:
            return "Firing"
        if not self.rule.is_enabled:
            return "Switched off"
        return "Silent" if self.judged_at else "Not evaluated yet"


def firing_on(scope: Scope) -> list[Alert]:
    """What fires on the endpoint, newest first."""
    rows = Alert.objects.firing().filter(rule__endpoint=scope.endpoint)
    return list(rows.select_related("rule", "incident").order_by("-fired_at"))


def without_incident(firing: list[Alert]) -> list[Alert]:
    """Those that no open incident speaks for."""
    return [each for each in firing if each.incident is None or not each.incident.is_open]


def rule_rows(scope: Scope, firing: list[Alert]) -> list[RuleRow]:
    """Every rule of the endpoint, those that fire first."""
    by_rule = {each.rule_id: each for each in firing}
    judged_at = scope.watch.refreshed_at if scope.watch else None
    rows = [RuleRow(each, by_rule.get(each.pk), judged_at) for each in scope.kept_rules]
    return sorted(rows, key=lambda row: (row.firing is None, row.rule.name))


def firing_by_endpoint(endpoints: Iterable[uuid.UUID]) -> dict[Any, list[Alert]]:
    """For lists: what fires without an open incident, by endpoint, in one query."""
    rows = (
        Alert.objects.firing()
        .filter(rule__endpoint__in=list(endpoints))
        .filter(Q(incident__isnull=True) | Q(incident__status=Incident.Status.RESOLVED))
    )
    found: dict[Any, list[Alert]] = defaultdict(list)
    for each in rows.select_related("rule").order_by("-fired_at"):
        found[each.rule.endpoint_id].append(each)
    return found


def tone_of(alert: Alert) -> str:
    return TONES[AlertRule.Severity(alert.rule.severity)]
