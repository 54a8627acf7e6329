"""Adding up what gateways counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from deployments.models import Deployment, TrafficCount
from deployments.rollout import Totals


def step_totals(deployment: Deployment) -> Totals:
    """What the deployment answered in its present step."""
    return added(TrafficCount.objects.filter(deployment=deployment, step=gateway_step(deployment)))


def gateway_step(deployment: Deployment) -> int:
    """How gateways count it: step n of its rollout is n + 1; 0 is live or shadow traffic."""
    return deployment.step_index + 1 if deployment.status == Deployment.Status.ROLLING_OUT else 0


def totals_since(deployments: Sequence[Deployment], since: datetime) -> dict[Any, Totals]:
    """Per deployment, everything answered in minutes from ``since`` on; one query for all."""
    counts: dict[Any, list[TrafficCount]] = {}
    for count in TrafficCount.objects.filter(deployment__in=deployments, minute__gte=since):
        counts.setdefault(count.deployment_id, []).append(count)
    return {deployment.pk: added(counts.get(deployment.pk, ())) for deployment in deployments}


def added(counts: Iterable[TrafficCount]) -> Totals:
    requests = refused = errors = rows = 0
    latency: dict[int, int] = {}
    for count in counts:
        requests += count.requests
        refused += count.refused
        errors += count.errors
        rows += count.rows
        for bucket, number in count.latency.items():
            latency[int(bucket)] = latency.get(int(bucket), 0) + number
    return Totals(requests, refused, errors, rows, latency)
