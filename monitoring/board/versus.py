"""Champion against shadow on the rows both scored: in a sentence, as a table, week by week."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from monitoring.board.scope import HIGHER_IS_BETTER, METRIC_WORDS, day_words
from monitoring.models import Granularity, QualityWindow, Role

if TYPE_CHECKING:
    from monitoring.board.quality import Quality


def versus_words(pair: QualityWindow, metric: str) -> str:
    """Better, worse or no difference, by the interval of the difference."""
    both = pair.comparison.get("metrics", {}).get(metric)
    if not both or pair.against is None:
        return ""
    difference = both["difference"]
    served, shadow = f"v{pair.version.number}", f"v{pair.against.number}"
    if difference["low"] is None:
        return f"Too little is labelled to tell {served} from {shadow}"
    sign = 1 if metric in HIGHER_IS_BETTER else -1
    if difference["low"] * sign > 0 and difference["high"] * sign > 0:
        return f"{served} is better than {shadow} on the same rows"
    if difference["low"] * sign < 0 and difference["high"] * sign < 0:
        return f"{served} is worse than {shadow} on the same rows"
    return f"No difference between {served} and {shadow} on the same rows"


def period_words(pair: QualityWindow) -> str:
    """The days of the rows compared: ``2 Oct 2013 to 1 Jan 2014``."""
    first, last = (date.fromisoformat(pair.comparison[name]) for name in ("starts_on", "ends_on"))
    return f"{day_words(first, year=first.year != last.year)} to {day_words(last, year=True)}"


def has_interval(pair: QualityWindow, metric: str) -> bool:
    """Whether enough is labelled for an interval of the difference."""
    both = pair.comparison.get("metrics", {}).get(metric, {})
    return bool(pair.against) and both.get("difference", {}).get("low") is not None


def versus(quality: Quality) -> dict[str, Any] | None:
    """The comparison table: every metric of both models and of their difference."""
    pair = quality.comparison
    if pair is None or pair.against is None:
        return None
    rows = []
    for metric, word in METRIC_WORDS.items():
        both = pair.comparison["metrics"].get(metric)
        if not both or both["difference"]["estimate"] is None:
            continue
        difference = both["difference"]
        words = versus_words(pair, metric)
        tone, verdict = _verdict(words)
        rows.append(
            {
                "metric": word,
                "note": "higher is better" if metric in HIGHER_IS_BETTER else "lower is better",
                "served": both["served"]["estimate"],
                "shadow": both["shadow"]["estimate"],
                "difference": difference,
                "tone": tone,
                "verdict": verdict,
            }
        )
    counts = pair.comparison
    return {
        "title": versus_words(pair, quality.scope.metric),
        "sub": (
            f"{counts['rows']:,} labelled rows that both scored, {counts['blocks']} days,"
            f" {period_words(pair)}"
        ),
        "served": pair.version.number,
        "shadow": pair.against.number,
        "rows": rows,
        "method": counts.get("method", ""),
        "weeks": [
            _week_row(each, quality.scope.metric)
            for each in quality.of(Granularity.WEEK, Role.SERVED)
            if each.comparison.get("metrics")
        ],
        "metric": METRIC_WORDS[quality.scope.metric],
    }


def _week_row(window: QualityWindow, metric: str) -> dict[str, Any]:
    both = window.comparison["metrics"].get(metric, {})
    return {
        "week": day_words(window.starts_on, year=True),
        "rows": window.comparison["rows"],
        "served": both.get("served", {}).get("estimate"),
        "shadow": both.get("shadow", {}).get("estimate"),
        "difference": both.get("difference", {}),
        "versions": f"v{window.version.number} against v{window.against.number}" if window.against else "",
        "tone": _verdict(versus_words(window, metric))[0],
        "verdict": _verdict(versus_words(window, metric))[1],
    }


def _verdict(words: str) -> tuple[str, str]:
    if " better " in words:
        return "ok", "Better"
    if " worse " in words:
        return "bad", "Worse"
    return ("n", "No difference") if words.startswith("No") else ("n", "Too few rows")
