"""Champion against shadow on the rows both scored, in words."""

from __future__ import annotations

from datetime import date

from monitoring.board.scope import HIGHER_IS_BETTER, day_words
from monitoring.models import QualityWindow


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
