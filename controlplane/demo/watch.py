"""Watching a live version: rules, labels that come late, what the windows say, the incident."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from controlplane.demo.cast import ENVIRONMENT, MODEL, Cast
from controlplane.demo.traffic import Traffic

RULES = (
    {
        "name": "Worse than the version it replaced",
        "metric": "roc_auc",
        "against": "shadow",
        "direction": "below",
        "limit": 0.0,
        "window": "week",
        "fire_after": 2,
    },
    {
        "name": "Temperature has drifted",
        "metric": "psi",
        "feature": "temp",
        "direction": "above",
        "limit": 0.25,
        "window": "week",
        "fire_after": 1,
        "severity": "warning",
        "opens_incident": False,
    },
)
AUC = "roc_auc"
# Pricing runs every minute; this leaves room for a busy machine.
PRICED_WITHIN = 180


def set_rules(cast: Cast) -> None:
    with cast.display.step("The operator sets two alert rules") as step:
        for rule in RULES:
            made = cast.operator.post(
                "alert-rules", {"model": MODEL, "environment": ENVIRONMENT, **rule}, 201
            )
            step.say(made["sentence"])


def labels_arrive(cast: Cast, traffic: Traffic, title: str, first: date, last: date) -> None:
    """Report what became of these days' flights, and wait until the windows know."""
    with cast.display.step(title) as step:
        batches = traffic.label(first, last)
        received = 0
        for batch in batches:
            done = cast.scientist.wait(
                f"endpoints/{ENVIRONMENT}/{MODEL}/labels/{batch}",
                lambda each: each["matched_at"] is not None and each["unknown"] == 0,
                timeout=300,
            )
            received += done["received"]
        _await_windows(cast)
        step.say(f"{received:,} labels, each found its prediction")


def _await_windows(cast: Cast) -> None:
    """Until no refresh of the endpoint is under way."""
    cast.scientist.wait(f"monitoring/models/{MODEL}", lambda each: not each["is_refreshing"], timeout=300)


def tell_quality(cast: Cast, first: date, last: date) -> None:
    """Each week's realised ROC AUC of both versions on the same rows, as the windows hold it."""
    for week in weeks(cast, first, last):
        served, shadow = _both(week)
        cast.display.note(
            f"week of {week['starts_on']}: v{week['version']} {served:.3f}, v{week['against']} {shadow:.3f}"
            f" on the same {week['comparison']['rows']:,} flights"
        )


def _both(week: dict[str, Any]) -> tuple[float, float]:
    measured = week["comparison"]["metrics"][AUC]
    return measured["served"]["estimate"], measured["shadow"]["estimate"]


def differences(cast: Cast, first: date, last: date) -> list[float]:
    """By how much the live version ranked better than its shadow (ROC AUC), week by week."""
    return [served - shadow for served, shadow in map(_both, weeks(cast, first, last))]


def weeks(cast: Cast, first: date, last: date) -> list[dict[str, Any]]:
    """The weeks in which a live version and a shadow were both judged."""
    answer = cast.scientist.get(
        f"monitoring/models/{MODEL}/quality", window="week", range="90d", until=last.isoformat()
    )
    return [
        each
        for each in answer["items"]
        if each["role"] == "served"
        and first.isoformat() <= each["starts_on"] <= last.isoformat()
        and each["comparison"].get("metrics")
    ]


def tell_alerts(cast: Cast, known: set[str]) -> None:
    """What fires now and did not before; ``known`` holds the ids told already."""
    for alert in cast.operator.items("alerts", model=MODEL, firing="true"):
        if alert["id"] not in known:
            known.add(alert["id"])
            cast.display.note(f"alert: {alert['finding']}")


def tell_weeks(cast: Cast, first: date, last: date) -> None:
    """In how many weeks the live version ranked better than its shadow on the same rows."""
    found: dict[str, float] = {}
    until = last
    while until >= first:
        for week in weeks(cast, first, until):
            served, shadow = _both(week)
            found[week["starts_on"]] = served - shadow
        until -= timedelta(days=80)
    ahead = [difference for difference in found.values() if difference > 0]
    cast.display.note(
        f"better than its shadow on the same flights in {len(ahead)} of {len(found)} weeks, "
        f"by {sum(found.values()) / len(found):+.3f} ROC AUC on average"
    )


def tell_issues(cast: Cast) -> None:
    """The data issues of the year's last days."""
    answer = cast.scientist.get(f"monitoring/models/{MODEL}/data-issues", range="7d")
    missing = [each for each in answer["items"] if each["is_open"] and each["kind"] == "missing"]
    for days in sorted({(each["first_day"], each["last_day"]) for each in missing}):
        same = [each for each in missing if (each["first_day"], each["last_day"]) == days]
        cast.display.note(
            f"data issue: {', '.join(each['feature'] for each in same)} missing in "
            f"{same[0]['affected']:,} of {same[0]['rows']:,} rows, {days[0]} to {days[1]}"
        )


def tell_costs(cast: Cast) -> None:
    """What serving has cost, once it has been priced."""
    with cast.display.step("What the model has cost so far is metered and priced") as step:
        address = f"monitoring/models/{MODEL}/costs"
        spent = cast.scientist.wait(
            address,
            lambda each: any(entry["activity"] == "serving" for entry in each["items"]),
            timeout=PRICED_WITHIN,
        )
        total = sum(float(entry["amount_usd"]) for entry in spent["items"])
        step.say(f"${total:.4f} of processor time, memory and storage")
