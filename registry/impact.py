"""Model versions and evaluations that a data set version had a part in."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse

from core.actors import Actor
from pipelines.impact import MOST, Part, Touched
from pipelines.models import DatasetVersion
from registry.models import ModelVersion, VersionDataset


def model_versions(actor: Actor, data: Sequence[DatasetVersion]) -> Part:
    """Model versions trained or judged on it, newest first, as far as the actor may see them."""
    uses = (
        VersionDataset.objects.filter(dataset_version__in=data)
        .filter(version__in=ModelVersion.objects.visible_to(actor))
        .select_related("version__model", "dataset_version__dataset")
        .defer(
            "version__manifest",
            "version__requirements",
            "version__signature",
            "version__flavours",
            "dataset_version__profile",
            "dataset_version__schema",
        )
        .order_by("-version__created_at", "role")
    )
    items = tuple(
        Touched(
            str(use.version),
            reverse("registry:version", args=[use.version.model.name, use.version.number]),
            f"{use.get_role_display()} data {use.dataset_version}",
            use.version.status,
            use.version.created_at,
        )
        for use in uses[:MOST]
    )
    return Part("model_versions", "Model versions", "boxes", items, uses.count())
