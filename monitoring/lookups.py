"""Finding what an address names, among what the caller may see."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet

from accounts.sight import require_sight
from core.errors import NotFound
from deployments.models import Endpoint
from monitoring.incidents.models import AlertRule, Incident
from monitoring.models import LabelBatch
from registry.lookups import find_model


def find_endpoint(request: Any, environment: str, model: str) -> Endpoint:
    """The endpoint of a model in an environment, or 404 alike for what may not be seen."""
    found = find_model(request, model)
    endpoint = (
        Endpoint.objects.in_lists()
        .filter(model=found, environment__name=environment.replace("\x00", ""))
        .first()
    )
    if endpoint is None:
        raise NotFound(f"{found} has no endpoint in {environment[:60]!r}.")
    return endpoint


def find_endpoint_by_id(request: Any, pk: Any) -> Endpoint:
    require_sight(request.actor)
    return one(Endpoint.objects.visible_to(request.actor).in_lists(), pk, "endpoint")


def find_incident(request: Any, pk: Any) -> Incident:
    require_sight(request.actor)
    rows = Incident.objects.visible_to(request.actor).in_lists().select_related("endpoint__live__version")
    return one(rows, pk, "incident")


def find_rule(request: Any, pk: Any) -> AlertRule:
    require_sight(request.actor)
    rows = AlertRule.objects.visible_to(request.actor).filter(retired_at__isnull=True)
    return one(rows.select_related("endpoint__model", "endpoint__environment"), pk, "alert rule")


def find_batch(request: Any, endpoint: Endpoint, pk: Any) -> LabelBatch:
    return one(LabelBatch.objects.filter(endpoint=endpoint), pk, "batch of labels")


def one(rows: QuerySet[Any], pk: Any, what: str) -> Any:
    """The row with this key, or NotFound."""
    try:
        found = rows.filter(pk=uuid.UUID(str(pk))).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound(f"There is no such {what}.")
    return found
