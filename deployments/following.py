"""Deployments of a version as steps of its lineage."""

from __future__ import annotations

from django.urls import reverse

from core.actors import Actor
from deployments.models import Deployment
from registry.downstream import Step
from registry.models import ModelVersion

MOST = 5


def deployments_after(actor: Actor, version: ModelVersion) -> list[Step]:
    """Where it was put, newest first."""
    rows = Deployment.objects.visible_to(actor).filter(version=version)
    return [
        Step(
            kind="deployment",
            title=each.endpoint.environment.name,
            detail=each.status_words.lower(),
            address=reverse("deployments:deployment", args=[each.pk]),
            icon="rocket",
            status=each.status,
        )
        for each in rows.select_related("endpoint__environment").order_by("-created_at")[:MOST]
    ]
