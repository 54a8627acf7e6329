"""How each request of a list stands, in one line: what it waits for, or what became of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F

from approvals.failing import failing_gates, in_words
from approvals.models import Decision, GateResult, PromotionRequest
from core.actors import Actor
from registry.evaluations.models import Evaluation
from registry.evaluations.panels import MAIN_METRIC
from registry.evaluations.verdicts import metric_rows

ICONS = {"bad": "circle-x", "warn": "triangle-alert", "info": "circle-dashed", "ok": "circle-check"}
Status = PromotionRequest.Status
Gates = Counter[str]


@dataclass(frozen=True)
class Standing:
    """``mark`` is the difference to the champion on the main metric, drawn beside the words."""

    tone: str
    words: str
    mark: dict[str, Any] = field(default_factory=dict)

    @property
    def icon(self) -> str:
        return ICONS[self.tone]


def standings_of(actor: Actor, requests: Sequence[PromotionRequest]) -> dict[Any, Standing]:
    """Four queries for any number of requests."""
    gates, given, marks = _gates(requests), _given(requests), _marks(actor, requests)
    failing = failing_gates(requests)
    return {
        each.pk: Standing(
            *_words(each, gates[each.pk], failing[each.pk], given.get(each.pk, 0)),
            marks.get(each.evaluation_id, {}),
        )
        for each in requests
    }


def _words(request: PromotionRequest, gates: Gates, failing: list[str], given: int) -> tuple[str, str]:
    warned = sum(gates.values()) - gates["passed"]
    wanted = sum(request.policy_revision.rules.quorum.values())
    if request.failure and request.status in {Status.FAILED, Status.ROLLED_BACK, Status.PENDING}:
        return "bad", request.failure
    if request.status == Status.PENDING and request.is_evaluating:
        return "info", "gates are being judged"
    if request.status == Status.PENDING and failing:
        return "bad", in_words(failing)
    if request.status == Status.PENDING:
        return "info", f"{given} of {wanted} approvals given"
    if not gates:
        return "info", "gates were not judged"
    if warned:
        return "warn", f"{warned} of {sum(gates.values())} gates did not pass"
    return "ok", f"{sum(gates.values())} gates passed"


def _gates(requests: Sequence[PromotionRequest]) -> dict[Any, Gates]:
    """Of the present revision: how many gates of each outcome."""
    rows = GateResult.objects.filter(promotion__in=requests, rev=F("promotion__rev")).order_by()
    found: dict[Any, Gates] = defaultdict(Counter)
    for promotion, outcome, count in rows.values_list("promotion", "outcome").annotate(count=Count("pk")):
        found[promotion][outcome] = count
    return found


def _given(requests: Sequence[PromotionRequest]) -> dict[Any, int]:
    rows = Decision.objects.counting().filter(promotion__in=requests).order_by()
    return dict(rows.values_list("promotion").annotate(count=Count("pk")))


def _marks(actor: Actor, requests: Sequence[PromotionRequest]) -> dict[Any, dict[str, Any]]:
    keys = [each.evaluation_id for each in requests if each.evaluation_id]
    rows = Evaluation.objects.visible_to(actor).filter(pk__in=keys, status=Evaluation.Status.SUCCEEDED)
    marks = {}
    for evaluation in rows.only("comparison"):
        main = next((row for row in metric_rows(evaluation) if row["words"] == MAIN_METRIC), None)
        if main and main["difference"] is not None:
            marks[evaluation.pk] = main
    return marks
