"""Evaluations of a version as steps of its lineage."""

from __future__ import annotations

from django.db.models import Q

from core.actors import Actor
from registry.downstream import Step
from registry.evaluations.models import Evaluation
from registry.models import ModelVersion

MOST = 5


def evaluations_after(actor: Actor, version: ModelVersion) -> list[Step]:
    """Evaluations in which it was judged, or in which others were judged against it."""
    rows = Evaluation.objects.visible_to(actor).filter(Q(candidate=version) | Q(champion=version))
    return [_step(each, version) for each in rows.in_lists().order_by("-created_at")[:MOST]]


def _step(evaluation: Evaluation, version: ModelVersion) -> Step:
    other = evaluation.champion if evaluation.candidate_id == version.pk else evaluation.candidate
    title = f"against v{other.number}" if other else "alone"
    return Step(
        kind="evaluation",
        title=title,
        detail=evaluation.get_status_display().lower(),
        address=evaluation.address,
        icon="activity",
        status=evaluation.status,
    )
