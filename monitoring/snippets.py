"""Commands to copy, filled with the reader's own names."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings

from deployments.models import Endpoint
from deployments.snippets import curl_for


def predictions_snippet(endpoint: Endpoint | None) -> str:
    """How the first prediction is asked for, so that something is logged."""
    return curl_for(endpoint) if endpoint is not None else ""


def labels_snippet(endpoint: Endpoint) -> str:
    """How labels are sent."""
    address = f"{settings.PUBLIC_URL}/api/v1/endpoints/{endpoint.environment.name}/{quote(endpoint.model.name)}/labels"
    return (
        f"curl -X POST {address} \\\n"
        '  -H "Authorization: Bearer $CONTROLPLANE_TOKEN" -H "Content-Type: application/json" \\\n'
        """  -d '[{"prediction_id": "<X-Prediction-Id of the answer>", "label": 1, "observed_at": "2026-01-31T12:00:00Z"}]'"""
    )
