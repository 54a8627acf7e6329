"""Watching a live version: rules, labels that come late, what the windows say, the incident."""

from __future__ import annotations

from datetime import date
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
        served, shadow = (
            week["comparison"]["metrics"][AUC][side]["estimate"] for side in ("served", "shadow")
        )
        cast.display.note(
            f"week of {week['starts_on']}: v{week['version']} {served:.3f}, v{week['against']} {shadow:.3f}"
            f" on the same {week['comparison']['rows']:,} flights"
        )


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


def tell_alerts(cast: Cast) -> None:
    """What fires now."""
    for alert in cast.operator.items("alerts", model=MODEL, firing="true"):
        cast.display.note(f"alert: {alert['finding']}")


def tell_months(cast: Cast) -> None:
    """The realised ROC AUC of both versions, every week of the second half of the year."""
    for until in (date(2013, 9, 26), date(2013, 12, 31)):
        tell_quality(cast, until.replace(month=until.month - 2, day=1), until)


def tell_issues(cast: Cast) -> None:
    """The data issues of the year's last weeks."""
    answer = cast.scientist.get(f"monitoring/models/{MODEL}/data-issues", range="28d")
    for issue in answer["items"]:
        cast.display.note(
            f"{issue['feature']} {issue['kind']}: {issue['affected']:,} of {issue['rows']:,} rows, "
            f"{issue['first_day']} to {issue['last_day']}"
        )
