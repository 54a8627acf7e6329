"""What a rollback costs in quality: the target against what is live, on rows that both scored here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.actors import Actor
from deployments.models import Deployment
from monitoring.board.scope import HIGHER_IS_BETTER, METRIC_WORDS
from monitoring.board.versus_words import period_words
from monitoring.models import Granularity, QualityWindow, Role

MAIN = "roc_auc"
VERDICTS = {1: ("ok", "Better"), -1: ("bad", "Worse"), 0: ("n", "No difference"), None: ("n", "Too few rows")}
SAID = {1: "was better than", -1: "was worse than"}


def quality_of_targets(actor: Actor, targets: Sequence[Deployment]) -> dict[Any, dict[str, Any]]:
    """For each deployment to go back to, its live quality beside that of the version that is live."""
    return {each.pk: _panel(each) for each in targets if each.endpoint.live is not None}


def _panel(target: Deployment) -> dict[str, Any]:
    pair = _compared(target)
    if pair is None:
        return {"pair": None, "target": target.version.number}
    counts, sign = pair.comparison, -1 if pair.against_id == target.version_id else 1
    rows = [
        _row(metric, counts["metrics"][metric], sign)
        for metric in METRIC_WORDS
        if metric in counts["metrics"]
    ]
    now = pair.version.number if sign == -1 else pair.against.number if pair.against else 0
    return {
        "pair": pair,
        "title": _title(rows[0]["direction"] if rows else None, target.version.number, now),
        "sub": f"{counts['rows']:,} labelled rows that both scored, {counts['blocks']} days, {period_words(pair)}",
        "rows": rows,
        "now": now,
        "target": target.version.number,
        "method": counts.get("method", ""),
    }


def _compared(target: Deployment) -> QualityWindow | None:
    """The two versions on all rows they share here, whichever of them answered people."""
    live = target.endpoint.live
    both = {live.version_id if live else None, target.version_id}
    windows = QualityWindow.objects.filter(
        watch__endpoint=target.endpoint_id,
        role=Role.SERVED,
        granularity=Granularity.DEPLOYMENT,
        version__in=both,
        against__in=both,
    ).select_related("version", "against")
    told = [each for each in windows if each.comparison.get("metrics")]
    return max(told, key=lambda each: each.comparison["ends_on"], default=None)


def _row(metric: str, both: dict[str, Any], sign: int) -> dict[str, Any]:
    """A metric from the target's side; the difference is what going back would have changed."""
    sides = (both["served"]["estimate"], both["shadow"]["estimate"])
    now, after = sides if sign == -1 else sides[::-1]
    difference = both["difference"]
    low, high = difference["low"], difference["high"]
    if low is not None and sign == -1:
        low, high = -high, -low
    direction = _direction(metric, low, high)
    tone, verdict = VERDICTS[direction]
    return {
        "metric": METRIC_WORDS[metric],
        "note": "higher is better" if metric in HIGHER_IS_BETTER else "lower is better",
        "now": now,
        "after": after,
        "estimate": None if difference["estimate"] is None else sign * difference["estimate"],
        "low": low,
        "high": high,
        "direction": direction,
        "tone": tone,
        "verdict": verdict,
    }


def _direction(metric: str, low: float | None, high: float | None) -> int | None:
    """Whether going back would have been better (1), worse (-1), no different (0), or nobody knows."""
    if low is None or high is None:
        return None
    if low <= 0 <= high:
        return 0
    return 1 if (low > 0) == (metric in HIGHER_IS_BETTER) else -1


def _title(direction: int | None, target: int, now: int) -> str:
    if direction is None:
        return f"Too little is labelled to tell v{target} from v{now}"
    if direction == 0:
        return f"No difference between v{target} and v{now} on the same rows"
    return f"v{target} {SAID[direction]} v{now} on the same rows"
