"""What lower packages tell us about, and the work it asks for."""

from typing import Any

from django.db import transaction

from core.events import on
from deployments.models import Deployment, Endpoint
from monitoring.services import request_reference, request_refresh


@on("deployments.segment_sealed", queue="monitoring")
def read_new_segments(body: dict[str, Any]) -> None:
    """More of the request log is sealed: sketch it."""
    endpoint = Endpoint.objects.select_related("model", "environment").get(pk=body["endpoint"])
    with transaction.atomic():
        request_refresh(endpoint)


@on("deployments.live", queue="monitoring")
def make_reference(body: dict[str, Any]) -> None:
    """A version went live: sketch its training data, so that drift can be seen from the first day."""
    deployment = Deployment.objects.select_related("version__model").get(pk=body["subject_id"])
    with transaction.atomic():
        request_reference(deployment.version)
