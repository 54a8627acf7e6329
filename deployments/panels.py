"""What deployments tell the registry: endpoints on the model's page, and versions that must stay."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from core.actors import Actor
from deployments import rights
from deployments.models import Deployment, Endpoint
from deployments.snippets import curl_for
from deployments.traffic import totals_since
from registry.models import ModelVersion, RegisteredModel

RECENTLY = timedelta(minutes=15)


def why_versions_stay(versions: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Versions that are deployed, and how; and those that ever answered as the live one."""
    found = Deployment.objects.filter(version__in=versions)
    found = found.filter(Q(live_at__isnull=False) | ~Q(status__in=Deployment.OVER))
    in_order = found.select_related("endpoint__environment").order_by("created_at")
    return {
        each.version_id: _why_it_stays(each) for each in sorted(in_order, key=lambda each: not each.is_over)
    }


def why_name_stays(model: uuid.UUID) -> str:
    """A name that callers of a protected environment use."""
    found = Deployment.objects.filter(endpoint__model=model, endpoint__environment__is_protected=True)
    answering = found.exclude(status__in=Deployment.OVER).select_related("endpoint__environment").first()
    return (
        f"answers in {answering.endpoint.environment.name}, whose callers use its name" if answering else ""
    )


def _why_it_stays(deployment: Deployment) -> str:
    place = deployment.endpoint.environment.name
    if not deployment.is_over:
        return f"is {deployment.status_words.lower()} in {place}"
    return f"was live in {place} since {deployment.live_at:%-d %B %Y}, and its predictions name it"


def endpoints_of_models(actor: Actor, models: Sequence[RegisteredModel]) -> dict[Any, dict[str, Any]]:
    """For each model its endpoints: address, live version, traffic, and what is under way."""
    endpoints = list(
        Endpoint.objects.in_lists()
        .filter(model__in=models)
        .order_by("environment__order", "environment__name")
    )
    under_way: dict[Any, Deployment] = {}
    for each in Deployment.objects.in_lists().in_flight().filter(endpoint__in=endpoints):
        under_way[each.endpoint_id] = each
    live = [endpoint.live for endpoint in endpoints if endpoint.live]
    totals = totals_since(live, timezone.now() - RECENTLY)
    panels: dict[Any, dict[str, Any]] = {}
    for model in models:
        mine = [endpoint for endpoint in endpoints if endpoint.model_id == model.pk]
        panels[model.pk] = {
            "model": model,
            "gateway": settings.GATEWAY_URL,
            "minutes": int(RECENTLY.total_seconds() // 60),
            "endpoints": [
                {
                    "endpoint": endpoint,
                    "address": f"{settings.GATEWAY_URL}{endpoint.path}",
                    "under_way": under_way.get(endpoint.pk),
                    "traffic": totals.get(endpoint.live_id),
                    "may_roll_back": rights.may_roll_back(actor, endpoint),
                    "snippet": curl_for(endpoint),
                }
                for endpoint in mine
            ],
        }
    return panels


def deployable_versions(actor: Actor, versions: Sequence[ModelVersion]) -> dict[Any, ModelVersion]:
    """Ready versions, whose files are as registered, that this actor may put on a free environment."""
    return {
        each.pk: each
        for each in versions
        if each.is_ready and each.is_intact and rights.may_deploy(actor, each.model)
    }
