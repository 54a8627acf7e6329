"""What each version of a list was trained on, as far as its reader may see."""

from __future__ import annotations

from collections.abc import Iterable

from core.actors import Actor
from pipelines.models import DatasetVersion
from registry.models import ModelVersion, VersionDataset
from registry.readiness import untraced_inputs

TRAINING = (
    VersionDataset.objects.filter(role=VersionDataset.Role.TRAINING)
    .select_related("dataset_version__dataset")
    .defer("dataset_version__profile", "dataset_version__schema")
)


def name_data(actor: Actor, versions: Iterable[ModelVersion]) -> None:
    """Give each version ``trained_on``, ``is_data_hidden`` and ``logged_data``: what its run names, untraced.

    ``datasets`` of the versions are prefetched with ``TRAINING``; one query, however many there are.
    """
    known = list(versions)
    behind = {use.dataset_version_id for version in known for use in version.datasets.all()}
    seen = behind
    if behind and not actor.holds_everywhere("view"):
        rows = DatasetVersion.objects.visible_to(actor).filter(pk__in=behind)
        seen = set(rows.values_list("pk", flat=True))
    for version in known:
        uses = list(version.datasets.all())
        version.trained_on = [use for use in uses if use.dataset_version_id in seen]
        version.is_data_hidden = len(version.trained_on) < len(uses)
        version.logged_data = [] if uses else untraced_inputs(version, ())
