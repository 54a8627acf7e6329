"""What lower packages tell us about, and the work it asks for."""

from typing import Any

from django.db import transaction

from core.events import on
from deployments.models import Deployment, Endpoint
from monitoring.held_out import held_out_scores
from monitoring.models import Reference
from monitoring.services import renew_reference, request_reference, request_refresh


@on("deployments.segment_sealed", queue="monitoring")
def read_new_segments(body: dict[str, Any]) -> None:
    """More of the request log is sealed: sketch it."""
    endpoint = Endpoint.objects.select_related("model", "environment").get(pk=body["endpoint"])
    with transaction.atomic():
        request_refresh(endpoint)


@on("registry.evaluation_finished", queue="monitoring")
def learn_scores(body: dict[str, Any]) -> None:
    """Scores on held-out rows came after the reference was made: predictions can be compared too."""
    reference = Reference.objects.filter(version=body.get("candidate"), score_source="").first()
    if reference is not None and held_out_scores(reference.version) is not None:
        with transaction.atomic():
            renew_reference(reference)


@on("deployments.live", queue="monitoring")
def make_reference(body: dict[str, Any]) -> None:
    """A version went live: sketch its training data, so that drift can be seen from the first day."""
    deployment = Deployment.objects.select_related("version__model").get(pk=body["subject_id"])
    with transaction.atomic():
        request_reference(deployment.version)
