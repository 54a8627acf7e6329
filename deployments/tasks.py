"""The workers' door: starting deployments, looking at rollouts, sealing the prediction log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.actors import Actor
from core.jobs import Lease, job, periodic
from deployments import services
from deployments.folders import journal_folder
from deployments.models import Deployment
from deployments.sealing import seal_closed


@job("deployments.start", queue="deployments", limit=timedelta(minutes=2), subject=Deployment)
def start(lease: Lease, deployment: Deployment) -> dict[str, Any]:
    """Let a queued deployment begin if its endpoint is free; the agent does the rest."""
    row = services.begin(actor=Actor.system(lease), deployment=deployment)
    return {"status": row.status, "fence": row.fence}


@job("deployments.advance_rollout", queue="deployments", limit=timedelta(minutes=2), subject=Deployment)
def advance_rollout(lease: Lease, deployment: Deployment) -> dict[str, Any]:
    """Look at one rollout; agents ask for it every few seconds while it is under way."""
    row = services.advance(actor=Actor.system(lease), deployment=deployment)
    return {"status": row.status, "weight": row.weight, "analysis": row.analysis.get("finding", "")}


@periodic("deployments.watch_rollouts", every=timedelta(seconds=30))
@job("deployments.watch_rollouts", queue="deployments", limit=timedelta(minutes=2))
def watch_rollouts(lease: Lease) -> dict[str, Any]:
    """Look at every rollout, and start what waits: for when an agent is silent or a job got lost."""
    actor = Actor.system(lease)
    for deployment in Deployment.objects.in_flight().select_related("endpoint"):
        services.advance(actor=actor, deployment=deployment)
    for deployment in (
        Deployment.objects.filter(status="queued").select_related("endpoint").order_by("created_at")
    ):
        services.begin(actor=actor, deployment=deployment)
    return {}


@periodic("deployments.seal_segments", every=timedelta(seconds=20))
@job("deployments.seal_segments", queue="default", limit=timedelta(minutes=10))
def seal_segments(lease: Lease) -> dict[str, Any]:
    """Move closed journal files into Parquet segments."""
    rows = seal_closed(Actor.system(lease), journal_folder(), check=lease.check)
    return {"rows": rows}
