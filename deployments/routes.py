"""The routing table as the database has it."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, Q

from deployments.models import Deployment, Endpoint
from deployments.traffic import gateway_step

ROUTED = Q(status="live") | Q(status="rolling_out") | Q(status="standby", slot="shadow")


def routing_document() -> dict[str, Any]:
    """Every endpoint with the deployments that answer or shadow: what gateways work from."""
    routed = (
        Deployment.objects.filter(ROUTED, scorer__isnull=False)
        .exclude(scorer__socket="")
        .select_related("scorer", "version")
        .defer("version__manifest", "version__requirements", "version__flavours")
        .order_by("created_at", "pk")
    )
    endpoints = Endpoint.objects.select_related("model", "environment").prefetch_related(
        Prefetch("deployments", queryset=routed)
    )
    return {"routes": [_route(endpoint) for endpoint in endpoints.order_by("created_at", "pk")]}


def _route(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "endpoint": str(endpoint.pk),
        "environment": endpoint.environment.name,
        "model": endpoint.model.name,
        "model_id": str(endpoint.model_id),
        "event_time_column": endpoint.event_time_column,
        "variants": [_variant(deployment) for deployment in endpoint.deployments.all()],
    }


def _variant(deployment: Deployment) -> dict[str, Any]:
    return {
        "deployment": str(deployment.pk),
        "version": deployment.version.number,
        "slot": deployment.slot,
        "weight": deployment.weight,
        "socket": deployment.scorer.socket,
        "step": gateway_step(deployment),
        "signature": deployment.version.signature or {},
    }
