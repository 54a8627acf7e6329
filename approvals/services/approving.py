"""Approving what was judged, and judging again what has changed since."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from approvals.models import PromotionRequest
from approvals.services import deciding
from approvals.services.requests import JUDGE
from core.actors import Actor
from core.jobs import enqueue


def approve(*, actor: Actor, promotion: PromotionRequest, **said: Any) -> PromotionRequest:
    """``deciding.approve``; where the evidence has changed nothing is signed, and a worker judges it again."""
    try:
        return deciding.approve(actor=actor, promotion=promotion, **said)
    except deciding.EvidenceChanged:
        with transaction.atomic():
            enqueue(JUDGE, subject=promotion, actor=actor, model=promotion.version.model)
        raise
