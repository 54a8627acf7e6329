"""What approvals show on pages of the registry: asking for a promotion, and what became of earlier ones."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q

from approvals import rights
from approvals.models import Decision, PromotionRequest
from core.actors import Actor
from registry.models import ModelVersion, RegisteredModel
from registry.storage.models import Tombstone


def promotions_of_versions(actor: Actor, versions: Sequence[ModelVersion]) -> dict[Any, dict[str, Any]]:
    """For each ready version its request under way, else whether this actor may ask for one.

    Files that have changed are not offered: the request could only be refused.
    """
    under_way = {
        each.version_id: each
        for each in PromotionRequest.objects.visible_to(actor)
        .under_way()
        .filter(version__in=[each.pk for each in versions])
        .select_related("environment", "evaluation")
        .defer("evidence", "evaluation__comparison", "evaluation__slices", "evaluation__latency")
        .with_gates()
        .order_by("created_at")
    }
    return {
        each.pk: {"version": each, "request": under_way.get(each.pk)}
        for each in versions
        if each.is_ready and (each.pk in under_way or (each.is_intact and rights.may_request(actor, each)))
    }


def requests_of_models(actor: Actor, models: Sequence[RegisteredModel]) -> dict[Any, PromotionRequest]:
    """For each model its oldest request under way."""
    rows = (
        PromotionRequest.objects.visible_to(actor).under_way().with_gates().filter(version__model__in=models)
    )
    shown = rows.select_related("version", "environment", "evaluation").only(
        "status",
        "gates_judged_at",
        "evaluation__status",
        "environment__name",
        "version__number",
        "version__model_id",
    )
    return {each.version.model_id: each for each in shown.order_by("-created_at")}


def requests_about_tombstones(
    actor: Actor, tombstones: Sequence[Tombstone]
) -> dict[Any, list[PromotionRequest]]:
    """Requests that asked for a version that is now deleted, newest first."""
    by_version = {each.version_id: each.pk for each in tombstones}
    found: dict[Any, list[PromotionRequest]] = {}
    asked = PromotionRequest.objects.visible_to(actor).filter(version__in=list(by_version))
    for each in asked.select_related("environment", "requested_by").defer("evidence").order_by("-created_at"):
        found.setdefault(by_version[each.version_id], []).append(each)
    return found


def why_versions_stay(versions: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Versions that somebody has been asked about, was answered about, or that were released."""
    asked = PromotionRequest.objects.filter(version__in=versions).filter(
        Q(status__in=PromotionRequest.UNDER_WAY)
        | Q(status__in=PromotionRequest.RELEASED)
        | Exists(Decision.objects.filter(promotion=OuterRef("pk")))
    )
    rows = asked.select_related("environment").defer("evidence").order_by("created_at")
    return {each.version_id: _why_it_stays(each) for each in sorted(rows, key=lambda each: each.is_under_way)}


def _why_it_stays(promotion: PromotionRequest) -> str:
    if promotion.is_under_way:
        return f"has an open promotion request to {promotion.environment.name}"
    if promotion.status in PromotionRequest.RELEASED:
        return f"was released to {promotion.environment.name}"
    return f"was decided on for {promotion.environment.name}, and the signature names it"


def setbacks_of_versions(actor: Actor, versions: Sequence[ModelVersion]) -> dict[Any, list[PromotionRequest]]:
    """Releases of these versions that were taken back, newest first: who thinks of promoting must know."""
    found: dict[Any, list[PromotionRequest]] = {}
    rolled_back = PromotionRequest.objects.visible_to(actor).filter(
        version__in=[each.pk for each in versions], status=PromotionRequest.Status.ROLLED_BACK
    )
    for each in rolled_back.select_related("environment").defer("evidence").order_by("-created_at"):
        found.setdefault(each.version_id, []).append(each)
    return found
