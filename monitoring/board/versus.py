"""Champion against shadow on the rows both scored: as a table, and week by week."""

from __future__ import annotations

from typing import Any

from monitoring.board.quality import Quality
from monitoring.board.scope import HIGHER_IS_BETTER, METRIC_WORDS, day_words
from monitoring.board.versus_words import period_words, versus_words
from monitoring.models import Granularity, QualityWindow, Role


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
