"""The workers' door: references and refreshes.

Every process that asks for work knows this module; only the worker that does it loads Arrow.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction

from core.jobs import Lease, job, periodic
from deployments.models import Endpoint
from monitoring.models import Watch
from monitoring.services import request_refresh
from registry.models import ModelVersion


@job("monitoring.refresh", queue="monitoring", limit=timedelta(hours=1), subject=Endpoint)
def refresh(lease: Lease, endpoint: Endpoint) -> dict[str, Any]:
    """Bring an endpoint's windows up to date with its log and labels; safe to run twice."""
    from monitoring.refresh.endpoint import refresh_endpoint  # noqa: PLC0415 (loads Arrow)

    return refresh_endpoint(lease, endpoint)


@job("monitoring.make_reference", queue="monitoring", limit=timedelta(hours=1), subject=ModelVersion)
def make_reference(lease: Lease, version: ModelVersion) -> dict[str, Any]:
    """Sketch the training data of a version."""
    from monitoring.refresh.references import build_reference  # noqa: PLC0415 (loads Arrow)

    return build_reference(lease, version)


@periodic("monitoring.look_after_watches", every=timedelta(minutes=5))
@job("monitoring.look_after_watches", queue="monitoring", limit=timedelta(minutes=2))
def look_after_watches(lease: Lease) -> dict[str, Any]:
    """Refresh what is marked and not asked for: for when an event's job has failed."""
    asked = 0
    for watch in Watch.objects.filter(stale_days__isnull=False).distinct().select_related("endpoint__model"):
        with transaction.atomic():
            request_refresh(watch.endpoint)
        asked += 1
    return {"refreshes": asked}
