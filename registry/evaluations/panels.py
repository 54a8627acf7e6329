"""What evaluations show on the page of a version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from core.actors import Actor
from registry.evaluations.models import Evaluation
from registry.evaluations.verdicts import metric_rows
from registry.models import ModelVersion

MOST_SHOWN = 10
MAIN_METRIC = "ROC AUC"


def evaluations_of_versions(actor: Actor, versions: Sequence[ModelVersion]) -> dict[Any, dict[str, Any]]:
    """For each version its newest evaluations, each with its main metric and the difference to the champion."""
    found = (
        Evaluation.objects.visible_to(actor)
        .filter(candidate__in=[each.pk for each in versions])
        .select_related("champion", "dataset_version__dataset")
        .defer("slices", "dataset_version__profile", "dataset_version__schema")
        .order_by("-created_at")
    )
    by_version: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for evaluation in found:
        rows = metric_rows(evaluation)
        main = next((row for row in rows if row["words"] == MAIN_METRIC), None)
        by_version[evaluation.candidate_id].append({"evaluation": evaluation, "main": main})
    return {
        each.pk: {
            "rows": by_version[each.pk][:MOST_SHOWN],
            "hidden": max(0, len(by_version[each.pk]) - MOST_SHOWN),
        }
        for each in versions
        if each.is_ready
    }
