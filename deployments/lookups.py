"""Finding what an address names, among what the caller may see."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet

from accounts.sight import require_sight
from core.errors import NotFound
from deployments.models import Deployment, Endpoint, Environment, LogSegment


def find_deployment(request: Any, pk: Any) -> Deployment:
    """With everything its page shows; 404 alike for what is not there and what may not be seen."""
    require_sight(request.actor)
    rows = Deployment.objects.visible_to(request.actor).select_related(
        "endpoint__model", "endpoint__environment", "endpoint__target", "endpoint__live__version",
        "version__model", "clearance", "replaces__version", "scorer",
    )  # fmt: skip
    return _one(rows, pk, "deployment")


def find_endpoint(request: Any, pk: Any) -> Endpoint:
    require_sight(request.actor)
    return _one(Endpoint.objects.visible_to(request.actor).in_lists(), pk, "endpoint")


def find_segment(request: Any, endpoint: Endpoint, pk: Any) -> LogSegment:
    require_sight(request.actor)
    return _one(LogSegment.objects.visible_to(request.actor).filter(endpoint=endpoint), pk, "log segment")


def find_environment(name: str) -> Environment:
    environment = Environment.objects.filter(name=name.replace("\x00", "")).first()
    if environment is None:
        allowed = ", ".join(Environment.objects.values_list("name", flat=True))
        raise NotFound(f"There is no environment {name[:60]!r}; there are {allowed}.", field="environment")
    return environment


def _one(rows: QuerySet[Any], pk: Any, what: str) -> Any:
    try:
        found = rows.filter(pk=uuid.UUID(str(pk))).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound(f"There is no such {what}.")
    return found
