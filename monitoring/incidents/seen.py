"""The windows of an alert as people read them: when, how much, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from core.templatetags.ui import number, signed
from monitoring.board.scope import HIGHER_IS_BETTER, day_words
from monitoring.incidents.models import QUALITY_METRICS, Alert, AlertRule

DIGITS = 3


@dataclass(frozen=True)
class Seen:
    """One window in which the rule was broken."""

    when: str
    words: str
    value: str
    interval: str
    tone: str
    verdict: str


def seen_of(alert: Alert) -> list[Seen]:
    """Every window of the alert; those kept before intervals were have none."""
    return [_seen(alert.rule, window) for window in alert.windows]


def interval_words(rule: AlertRule, window: dict[str, Any]) -> str:
    """``−0.124 to +0.027``, or that there is none."""
    low, high = window.get("low"), window.get("high")
    return "no interval" if low is None or high is None else f"{_value(rule, low)} to {_value(rule, high)}"


def difference_words(rule: AlertRule, window: dict[str, Any]) -> str:
    """What the windows of a shadow's rule say besides both values; nothing for other rules."""
    if rule.against != AlertRule.Against.SHADOW:
        return ""
    return f", difference {_value(rule, window['value'])} ({interval_words(rule, window)})"


def _seen(rule: AlertRule, window: dict[str, Any]) -> Seen:
    tone, verdict = _verdict(rule, window)
    return Seen(
        when=day_words(date.fromisoformat(window["starts_on"]), year=True),
        words=window["words"],
        value=_value(rule, window["value"]),
        interval=interval_words(rule, window),
        tone=tone,
        verdict=verdict,
    )


def _value(rule: AlertRule, value: float) -> str:
    return signed(value, DIGITS) if rule.against == AlertRule.Against.SHADOW else number(value, DIGITS)


def _verdict(rule: AlertRule, window: dict[str, Any]) -> tuple[str, str]:
    low, high = window.get("low"), window.get("high")
    if low is None or high is None:
        return ("n", "Too few rows") if rule.metric in QUALITY_METRICS else ("bad", _crossed(rule))
    if rule.against == AlertRule.Against.LIMIT:
        crossed = high < rule.limit if rule.direction == "below" else low > rule.limit
        return ("bad", _crossed(rule)) if crossed else ("n", "May be chance")
    if low <= 0 <= high:
        return "n", "No difference"
    is_better = (low > 0) == (rule.metric in HIGHER_IS_BETTER)
    return ("ok", "Better") if is_better else ("bad", "Worse")


def _crossed(rule: AlertRule) -> str:
    return f"{rule.get_direction_display()} the limit"
