"""Deployments that served what a data set version made, and the predictions they answered."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import OuterRef, Subquery, Sum

from core.actors import Actor
from deployments.models import Deployment, TrafficCount
from pipelines.impact import MOST, Part, Touched
from pipelines.models import DatasetVersion
from registry.models import VersionDataset


def deployments(actor: Actor, data: Sequence[DatasetVersion]) -> Part:
    """Deployments of model versions trained on it, live ones first, with rows predicted."""
    trained = VersionDataset.objects.filter(
        dataset_version__in=data, role=VersionDataset.Role.TRAINING
    ).values("version")
    answered = TrafficCount.objects.filter(deployment=OuterRef("pk")).order_by().values("deployment")
    found = (
        Deployment.objects.visible_to(actor)
        .filter(version__in=trained)
        .in_lists()
        .annotate(predicted=Subquery(answered.annotate(all=Sum("rows")).values("all")))
        .order_by("ended_at", "-created_at")
    )
    rows = sorted(found[:MOST], key=lambda each: (each.is_over, -each.created_at.timestamp()))
    items = tuple(
        Touched(
            str(each),
            f"/deployments/{each.pk}/",
            f"{each.status_words}, {each.slot or 'no'} slot",
            each.look,
            each.live_at or each.created_at,
            each.predicted or 0,
        )
        for each in rows
    )
    return Part("deployments", "Deployments", "rocket", items, found.count(), counted="predictions")
