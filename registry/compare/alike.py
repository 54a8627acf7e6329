"""Two versions that evaluations of their own scored on the very same rows, one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F

from core.actors import Actor
from registry.answers import Answer
from registry.evaluations.measured import trained_on_rows
from registry.evaluations.models import Evaluation
from registry.evaluations.verdicts import METRICS
from registry.models import ModelVersion

MOST_LOOKED_AT = 40


@dataclass(frozen=True)
class AlikeLine:
    """One metric of both, each with its own interval; ``tone`` is set only where the intervals do not meet."""

    words: str
    a: dict[str, Any]
    b: dict[str, Any]
    more_is_better: bool

    @property
    def difference(self) -> float:
        return float(self.b["estimate"] - self.a["estimate"])

    @property
    def verdict(self) -> str:
        ends = [each.get(end) for each in (self.a, self.b) for end in ("low", "high")]
        if None in ends:
            return "Inconclusive"
        if self.a["low"] <= self.b["high"] and self.b["low"] <= self.a["high"]:
            return "Not known for sure"
        return "Better" if (self.difference > 0) == self.more_is_better else "Worse"

    @property
    def tone(self) -> str:
        return {"Better": "ok", "Worse": "bad"}.get(self.verdict, "info")

    @property
    def icon(self) -> str:
        return {"Better": "circle-check", "Worse": "circle-x"}.get(self.verdict, "circle-help")

    @property
    def sides(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return (self.a, self.b)


@dataclass(frozen=True)
class Alike:
    """The newest evaluation of either on the same rows."""

    a: Evaluation
    b: Evaluation
    lines: list[AlikeLine]

    @property
    def answer(self) -> Answer:
        line = self.lines[0]
        return Answer(
            line.tone, line.icon, line.verdict, f"{line.words} on {self.b.dataset_version}, each alone"
        )


def scored_alike(actor: Actor, a: ModelVersion, b: ModelVersion) -> Alike | None:
    """On the bytes both have now and on data the reader may see; None where they share no rows.

    Rows that one of them was trained on say nothing of which is better.
    """
    rows = Evaluation.objects.visible_to(actor).filter(
        ~trained_on_rows(),
        candidate__in=[a, b],
        candidate_digest=F("candidate__digest"),
        status=Evaluation.Status.SUCCEEDED,
        is_data_seen=True,
    )
    related = rows.select_related("dataset_version__dataset").defer("slices", "dataset_version__profile")
    newest: dict[str, dict[Any, Evaluation]] = {}
    for each in related.order_by("-created_at")[:MOST_LOOKED_AT]:
        found = newest.setdefault(each.dataset_digest, {})
        found.setdefault(each.candidate_id, each)
    for found in newest.values():
        if len(found) == 2 and (lines := _lines(found[a.pk], found[b.pk])):
            return Alike(found[a.pk], found[b.pk], lines)
    return None


def _lines(a: Evaluation, b: Evaluation) -> list[AlikeLine]:
    ours, theirs = (each.comparison.get("metrics", {}) for each in (a, b))
    lines = []
    for name, (words, more_is_better) in METRICS.items():
        one, other = (side.get(name, {}).get("candidate", {}) for side in (ours, theirs))
        if one.get("estimate") is not None and other.get("estimate") is not None:
            lines.append(AlikeLine(words, one, other, more_is_better))
    return lines
