"""Doors of the workers."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, NoReturn

from django.utils import timezone

from approvals import services
from approvals.models import PromotionRequest
from approvals.services.deciding import EXECUTE
from approvals.services.requests import JUDGE
from core.actors import Actor
from core.errors import DomainError
from core.jobs import Lease, job, periodic

SEAL_PATIENCE_SECONDS = 60


@job(JUDGE, subject=PromotionRequest, limit=timedelta(minutes=5))
def judge_gates(lease: Lease, promotion: PromotionRequest) -> dict[str, Any]:
    """Gather what is known and judge every gate."""
    judged = services.judge_gates(actor=Actor.system(lease), promotion=promotion)
    return {"revision": judged.rev, "evidence_sha256": judged.evidence_sha256}


@job(EXECUTE, subject=PromotionRequest, queue="deployments", limit=timedelta(minutes=5), max_attempts=5)
def execute(lease: Lease, promotion: PromotionRequest) -> dict[str, Any]:
    """Wait until the signatures are sealed, then check again and start the deployment."""
    deadline = time.monotonic() + SEAL_PATIENCE_SECONDS
    while not services.is_sealed(promotion):
        if time.monotonic() > deadline:
            return _wait_longer(lease, promotion)
        lease.progress(10, "Waiting for the ledger to seal the signatures")
        time.sleep(0.3)
    try:
        done = services.execute(actor=Actor.system(lease), promotion=promotion)
    except DomainError as error:
        _fail(lease, promotion, str(error))
        raise
    return {"status": done.status}


def _wait_longer(lease: Lease, promotion: PromotionRequest) -> NoReturn:
    problem = "The ledger has not sealed the signatures; is the sealer running?"
    if lease.attempt >= lease.job.max_attempts:
        _fail(lease, promotion, problem)
    raise RuntimeError(problem)


def _fail(lease: Lease, promotion: PromotionRequest, why: str) -> None:
    """The request must not stay under way when nothing works on it any more."""
    failed = PromotionRequest.Status.FAILED
    services.note_outcome(actor=Actor.system(lease), promotion=promotion, status=failed, reason=why)


@periodic("approvals.expire_requests", every=timedelta(minutes=5))
@job("approvals.expire_requests", limit=timedelta(minutes=5))
def expire_requests(lease: Lease) -> dict[str, Any]:
    """Close requests whose time is over."""
    late = PromotionRequest.objects.filter(
        status__in=[PromotionRequest.Status.PENDING, PromotionRequest.Status.APPROVED],
        expires_at__lt=timezone.now(),
    )
    expired = [services.expire(actor=Actor.system(lease), promotion=each) for each in late[:500]]
    return {"expired": len(expired)}
