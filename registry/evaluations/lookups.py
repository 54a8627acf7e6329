"""Finding an evaluation among what the caller may see."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.sight import require_sight
from core.errors import NotFound
from registry.evaluations.models import Evaluation


def find_evaluation(request: Any, key: UUID | str) -> Evaluation:
    """404 alike for what is not there and what may not be seen."""
    require_sight(request.actor)
    rows = Evaluation.objects.visible_to(request.actor).select_related(
        "candidate__model", "champion__model", "dataset_version__dataset"
    )
    evaluation = rows.filter(pk=key).first()
    if evaluation is None:
        raise NotFound(f"There is no evaluation {key}.")
    return evaluation
