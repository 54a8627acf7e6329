"""Gates that forbid a request, in the same words wherever the request is named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import F

from approvals.models import GATES_FAIL, GateResult, PromotionRequest

MOST_NAMED = 3


def failing_gates(requests: Sequence[PromotionRequest]) -> dict[Any, list[str]]:
    """For each request the titles of the gates that forbid it at its present revision."""
    rows = GateResult.objects.filter(promotion__in=[each.pk for each in requests], rev=F("promotion__rev"))
    found: dict[Any, list[str]] = defaultdict(list)
    failed = rows.filter(outcome=GateResult.Outcome.FAILED).order_by("pk")
    for promotion, title in failed.values_list("promotion", "title"):
        found[promotion].append(title)
    return found


def in_words(titles: Sequence[str]) -> str:
    """``Gates fail: ROC AUC, Latency p95, Sandbox and 2 more``."""
    more = len(titles) - MOST_NAMED
    named = ", ".join(titles[:MOST_NAMED])
    return f"{GATES_FAIL}: {named}{f' and {more} more' if more > 0 else ''}"
