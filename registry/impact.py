"""Model versions and evaluations that a data set version had a part in."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Prefetch
from django.urls import reverse

from core.actors import Actor
from pipelines.impact import MOST, Part, Touched, parts_played
from pipelines.models import DatasetVersion
from registry.models import ModelVersion, VersionDataset


def model_versions(actor: Actor, data: Sequence[DatasetVersion]) -> Part:
    """Model versions trained or judged on it, each once, newest first, as far as the actor may see them."""
    uses = VersionDataset.objects.filter(dataset_version__in=data)
    named = uses.select_related("dataset_version__dataset").defer(
        "dataset_version__profile", "dataset_version__schema"
    )
    versions = (
        ModelVersion.objects.visible_to(actor)
        .filter(pk__in=uses.values("version"))
        .select_related("model")
        .defer("manifest", "requirements", "signature", "flavours")
        .prefetch_related(
            Prefetch("datasets", named.order_by("dataset_version__created_at"), to_attr="touching")
        )
        .order_by("-created_at")
    )
    items = tuple(
        Touched(
            str(version),
            reverse("registry:version", args=[version.model.name, version.number]),
            parts_played((use.role, str(use.dataset_version)) for use in version.touching),
            version.status,
            version.created_at,
        )
        for version in versions[:MOST]
    )
    return Part("model_versions", "Model versions", "boxes", items, versions.count())
