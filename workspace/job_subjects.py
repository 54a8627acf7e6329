"""What jobs are about, named and linked for who may see it now.

A job outlives the rights of who asked for it, so each object is looked for among what the reader sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.db.models import QuerySet

from approvals.models import PromotionRequest
from core.actors import Actor
from core.jobs.models import Job
from deployments.models import Deployment
from pipelines.models import DatasetVersion, PipelineRun
from registry.evaluations.models import Evaluation
from registry.models import ModelVersion
from registry.scans.models import Scan


@dataclass(frozen=True)
class Subject:
    """``name`` is how people call it."""

    name: str
    address: str


Key = tuple[str, str]
Rows = Callable[[Actor], QuerySet[Any]]


def _version(row: ModelVersion) -> Subject:
    return Subject(str(row), f"/models/{quote(row.model.name, safe='')}/versions/{row.number}/")


def _data(row: DatasetVersion) -> Subject:
    return Subject(str(row), f"/data/{quote(row.dataset.name, safe='')}/?version={row.number}")


# For each kind of object: its rows with what their names need, and how one is told.
KINDS: dict[str, tuple[Rows, Callable[[Any], Subject]]] = {
    "registry.modelversion": (
        lambda actor: ModelVersion.objects.visible_to(actor).select_related("model").only("number", "model__name"),
        _version,
    ),
    "pipelines.datasetversion": (
        lambda actor: (
            DatasetVersion.objects.visible_to(actor).select_related("dataset").only("number", "dataset__name")
        ),
        _data,
    ),
    "registry_evaluations.evaluation": (
        lambda actor: (
            Evaluation.objects.visible_to(actor)
            .select_related("candidate__model")
            .only("candidate__number", "candidate__model__name")
        ),
        lambda row: Subject(str(row.candidate), row.address),
    ),
    "registry_scans.scan": (
        lambda actor: (
            Scan.objects.visible_to(actor)
            .select_related("version__model")
            .only("version__number", "version__model__name")
        ),
        lambda row: _version(row.version),
    ),
    "approvals.promotionrequest": (
        lambda actor: (
            PromotionRequest.objects.visible_to(actor)
            .select_related("version__model")
            .only("version__number", "version__model__name")
        ),
        lambda row: Subject(str(row.version), row.address),
    ),
    "deployments.deployment": (
        lambda actor: (
            Deployment.objects.visible_to(actor)
            .select_related("version__model")
            .only("version__number", "version__model__name")
        ),
        lambda row: Subject(str(row.version), f"/deployments/{row.pk}/"),
    ),
    "pipelines.pipelinerun": (
        lambda actor: PipelineRun.objects.visible_to(actor).select_related("pipeline").only("pipeline__name"),
        lambda row: Subject(row.pipeline.name, f"/pipelines/{quote(row.pipeline.name, safe='')}/runs/{row.pk}/"),
    ),
}  # fmt: skip


def subjects_of(actor: Actor, jobs: Iterable[Job]) -> dict[Key, Subject]:
    """By type and id, in as many queries as there are kinds of objects."""
    asked: dict[str, set[str]] = {}
    for job in jobs:
        if job.subject_type in KINDS and job.subject_id:
            asked.setdefault(job.subject_type, set()).add(job.subject_id)
    found = {}
    for kind, ids in asked.items():
        rows, told = KINDS[kind]
        found.update({(kind, str(row.pk)): told(row) for row in rows(actor).filter(pk__in=ids)})
    return found
