"""All steps of a refresh in their order."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from core.actors import Actor
from core.jobs import Lease
from deployments.models import Endpoint
from monitoring.incidents.services import evaluate_rules
from monitoring.models import Watch
from monitoring.refresh.issues import replace_issues
from monitoring.refresh.labels import match_labels
from monitoring.refresh.references import ready_references
from monitoring.refresh.run import Run
from monitoring.refresh.segments import read_new_segments
from monitoring.refresh.windows import compute_stale
from monitoring.services import request_reference
from monitoring.summary import summary_of
from registry.models import ModelVersion


def refresh_endpoint(lease: Lease, endpoint: Endpoint) -> dict[str, Any]:
    """Read new segments, find labels' predictions, replace stale windows, judge the alert rules."""
    run = Run.begin(lease, endpoint)
    versions = list(
        endpoint.deployments.filter(started_at__isnull=False).values_list("version_id", flat=True).distinct()
    )
    with transaction.atomic():
        for version in ModelVersion.objects.filter(pk__in=versions, reference__isnull=True).select_related(
            "model"
        ):
            request_reference(version)
    references = ready_references(versions)
    segments = read_new_segments(run, references)
    labels = match_labels(run)
    days = compute_stale(run, references)
    issues = replace_issues(run, references)
    lease.progress(96, "Judging alert rules")
    alerts = evaluate_rules(actor=Actor.system(lease), watch=run.watch)
    with run.writing():
        Watch.objects.filter(pk=run.watch.pk).update(
            summary=summary_of(run.watch), refreshed_at=timezone.now()
        )
    return {"segments": segments, "labels": labels, "days": days, "issues": issues, "alerts": len(alerts)}
