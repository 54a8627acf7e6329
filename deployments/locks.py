"""Rows are locked in one order, endpoint before deployment, so that changes never deadlock.

Going live also locks the registered model, after the endpoint and never before it.
"""

from __future__ import annotations

from core.errors import NotFound
from deployments.models import Deployment, Endpoint


def locked_endpoint(endpoint: Endpoint) -> Endpoint:
    """The endpoint's row as it is now, locked until the end of the transaction."""
    row = (
        Endpoint.objects.select_for_update(no_key=True, of=("self",))
        .select_related("model", "environment", "target", "live__version")
        .filter(pk=endpoint.pk)
        .first()
    )
    if row is None:
        raise NotFound("There is no such endpoint.")
    return row


def locked_deployment(deployment: Deployment) -> Deployment:
    """The deployment's row as it is now, locked after its endpoint's."""
    endpoint = locked_endpoint(deployment.endpoint)
    row = (
        Deployment.objects.select_for_update(no_key=True, of=("self",))
        .select_related("version__model", "clearance")
        .get(pk=deployment.pk)
    )
    row.endpoint = endpoint
    return row
