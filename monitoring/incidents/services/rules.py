"""Making, changing and retiring alert rules."""

from __future__ import annotations

import math
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from audit.services import command, record
from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed, PreconditionFailed
from core.etags import etag_of
from core.text import checked_text
from deployments.models import Endpoint
from monitoring import rights
from monitoring.incidents.models import FEATURE_METRICS, QUALITY_METRICS, AlertRule, Metric
from monitoring.incidents.observations import PREDICTION
from monitoring.services import request_refresh
from registry.signature import columns_of

MOST_WINDOWS = 60
MOST_ROWS = 10_000_000
CHOICES = {
    "metric": Metric.values,
    "against": AlertRule.Against.values,
    "direction": AlertRule.Direction.values,
    "window": AlertRule.Window.values,
    "severity": AlertRule.Severity.values,
}
COUNTS = {"fire_after": (1, MOST_WINDOWS), "clear_after": (1, MOST_WINDOWS), "fewest_rows": (1, MOST_ROWS)}
# What each metric can be; the others are at least 0.
SHARE = (0.0, 1.0)
REACH = dict.fromkeys(
    (Metric.ROC_AUC, Metric.PR_AUC, Metric.BRIER, Metric.MISSING_SHARE, Metric.ERROR_RATE), SHARE
)
DEFAULTS: dict[str, Any] = {
    "feature": "",
    "against": "limit",
    "limit": 0.0,
    "window": "day",
    "fire_after": 2,
    "clear_after": 2,
    "fewest_rows": 200,
    "severity": "critical",
    "opens_incident": True,
    "is_enabled": True,
}
FIELDS = ("name", "metric", "direction", *DEFAULTS)


@command
def create_rule(*, actor: Actor, endpoint: Endpoint, rule: dict[str, Any]) -> AlertRule:
    """Watch a metric of what an endpoint serves; windows that are there already are judged too."""
    _require(actor, endpoint)
    fields = checked_rule({**DEFAULTS, **rule})
    _require_feature(endpoint, fields)
    row = AlertRule(
        endpoint=endpoint, created_by_id=actor.account_id, created_by_name=actor.account_name, **fields
    )
    _save(row)
    record(actor=actor, action="monitoring.rule_created", target=row, after=fields)
    request_refresh(endpoint, actor)
    row.refresh_from_db(fields=["created_at"])
    return row


@command
def update_rule(
    *, actor: Actor, rule: AlertRule, changes: dict[str, Any], expected_etag: str | None = None
) -> AlertRule:
    """Change a rule; its alerts stay what they are."""
    _require(actor, rule.endpoint)
    row = _locked(rule)
    _require_as_seen(row, expected_etag)
    before = {name: getattr(row, name) for name in FIELDS}
    fields = checked_rule({**before, **changes})
    _require_feature(row.endpoint, fields)
    for name, value in fields.items():
        setattr(row, name, value)
    row.rev += 1
    _save(row)
    record(actor=actor, action="monitoring.rule_changed", target=row, before=before, after=fields)
    request_refresh(row.endpoint, actor)
    return row


@command
def retire_rule(*, actor: Actor, rule: AlertRule, expected_etag: str | None = None) -> None:
    """Stop a rule for good; its alerts are cleared and kept."""
    _require(actor, rule.endpoint)
    row = _locked(rule)
    _require_as_seen(row, expected_etag)
    AlertRule.objects.filter(pk=row.pk).update(retired_at=Now(), rev=F("rev") + 1)
    row.alerts.firing().update(cleared_at=Now(), cleared_because="The rule was retired.")
    record(actor=actor, action="monitoring.rule_retired", target=row)


def _require_as_seen(row: AlertRule, expected_etag: str | None) -> None:
    if expected_etag is not None and expected_etag != rule_etag(row):
        raise PreconditionFailed(f"The rule {row} has changed since you read it.")


def rule_etag(rule: AlertRule) -> str:
    return etag_of("alert-rule", rule.pk, rule.rev, rule.retired_at)


def checked_rule(given: dict[str, Any]) -> dict[str, Any]:
    """A rule's fields, or Invalid naming the one that cannot be."""
    if unknown := sorted(str(name)[:60] for name in given.keys() - set(FIELDS)):
        raise Invalid(f"{unknown[0]} is no field of a rule.", field=unknown[0], allowed=", ".join(FIELDS))
    fields: dict[str, Any] = {"name": checked_text(given.get("name"), "name", 200, min_length=1)}
    for name, allowed in CHOICES.items():
        if given.get(name) not in allowed:
            raise Invalid(
                f"{name} must be one of: {', '.join(allowed)}.", field=name, allowed=", ".join(allowed)
            )
        fields[name] = given[name]
    for name, (least, most) in COUNTS.items():
        value = given[name]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Invalid(
                f"{name} must be a whole number from {least} to {most:,}.",
                field=name,
                allowed=f"{least} to {most}",
            )
        fields[name] = value
    for name in ("opens_incident", "is_enabled"):
        if not isinstance(given[name], bool):
            raise Invalid(f"{name} must be true or false.", field=name, allowed="true, false")
        fields[name] = given[name]
    limit = given["limit"]
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit):
        raise Invalid("limit must be a finite number.", field="limit", allowed="a number")
    fields["limit"] = float(limit)
    fields["feature"] = checked_text(given["feature"], "feature", 300)
    _require_sense(fields)
    _require_reach(fields)
    return fields


def _require_sense(fields: dict[str, Any]) -> None:
    if fields["against"] == "shadow" and fields["metric"] not in QUALITY_METRICS:
        allowed = ", ".join(sorted(QUALITY_METRICS))
        raise Invalid(f"Only quality is compared with a shadow: {allowed}.", field="metric", allowed=allowed)
    if fields["feature"] and fields["metric"] not in FEATURE_METRICS:
        raise Invalid(
            f"{fields['metric']} is not of one feature; leave feature empty.",
            field="feature",
            allowed="empty",
        )


def _require_reach(fields: dict[str, Any]) -> None:
    """A limit that the metric can never have would make a rule that is silent, or never is."""
    least, most = REACH.get(fields["metric"], (0.0, math.inf))
    if fields["against"] == "shadow":  # the limit is a difference
        least = -most
    if least <= fields["limit"] <= most:
        return
    allowed = f"{least:g} to {most:g}" if math.isfinite(most) else f"at least {least:g}"
    raise Invalid(
        f"The limit of {fields['metric']} must be {allowed}; {fields['limit']:g} is not.",
        field="limit",
        allowed=allowed,
    )


def _require_feature(endpoint: Endpoint, fields: dict[str, Any]) -> None:
    """One of what the live version takes, or its prediction; empty stands for every feature."""
    columns = columns_of(endpoint.live.version.signature) if endpoint.live else []
    inputs = [each.name for each in columns if each.part == "Input"]
    if not fields["feature"] or not inputs or fields["feature"] in {PREDICTION, *inputs}:
        return
    allowed = ", ".join([*inputs, PREDICTION])
    raise Invalid(
        f"{endpoint} takes no {fields['feature']}; it takes: {allowed}.", field="feature", allowed=allowed
    )


def _save(row: AlertRule) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Conflict(f"{row.endpoint} has a rule called {row.name} already.", field="name") from None


def _locked(rule: AlertRule) -> AlertRule:
    row = (
        AlertRule.objects.select_for_update(of=("self",))
        .select_related("endpoint__model", "endpoint__environment")
        .get(pk=rule.pk)
    )
    if row.retired_at is not None:
        raise Conflict(f"The rule {row} is retired.", code="rule_retired")
    return row


def _require(actor: Actor, endpoint: Endpoint) -> None:
    if not rights.may_set_rules(actor, endpoint.model):
        raise NotAllowed(
            f"You may not set alert rules of {endpoint}; it needs the right to deploy or to administer the model."
        )
