"""What policies say to packages below: who moves a protected alias, and who may roll back."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from approvals import services
from approvals.models import Policy, PromotionRequest
from core.actors import Actor
from core.errors import Conflict, NotAllowed
from deployments.models import Endpoint, Environment
from registry.models import ModelVersion, RegisteredModel

Status = PromotionRequest.Status


def ask_for_promotion(actor: Actor, model: RegisteredModel, alias: str, version: ModelVersion | None) -> None:
    """Promotion by alias. Nothing approved: open the request and refuse with its address. Approved: start it."""
    if version is None:
        raise NotAllowed(
            f"The alias {alias} follows the live deployment; it goes when nothing is live.",
            code="protected_alias",
        )
    environment = Environment.objects.filter(alias=alias).first()
    if environment is None:
        raise NotAllowed(
            f"The alias {alias} is protected, and no environment follows it.", code="protected_alias"
        )
    champion = services.champion_in(version, environment)
    if champion is not None and champion.pk == version.pk:
        return
    asked = PromotionRequest.objects.under_way().filter(version=version, environment=environment)
    known = asked.first()
    if known is None:
        try:
            # In a transaction of its own: the refusal below must not undo the request.
            opened = services.request_promotion(
                actor=actor,
                version=version,
                environment=environment,
                why=f"Asked for by setting the alias {alias} with an MLflow client.",
            )
        except Conflict:
            known = asked.first()  # somebody else asked at the same moment
            if known is None:
                raise
        else:
            raise _refusal(opened, f"The alias {alias} is protected. A promotion request was opened: ")
    if known.status == Status.APPROVED:
        services.start_waiting(actor=actor, promotion=known)
        return
    if known.status == Status.QUEUED:
        raise Conflict(
            f"The promotion of {version} is under way: {settings.PUBLIC_URL}{known.address}",
            code="promotion_under_way",
            extra={"address": known.address},
        )
    raise _refusal(known, f"The alias {alias} is protected. Its promotion request waits for review: ")


def where_to_ask(version: ModelVersion, alias: str) -> str:
    """The page that asks for a promotion to the environment which the alias follows."""
    environment = Environment.objects.filter(alias=alias).first()
    if environment is None:
        return ""
    page = reverse("promote-version", args=[version.model.name, version.number])
    return f"{page}?{urlencode({'environment': environment.name})}"


def roles_for_rollback(endpoint: Endpoint) -> frozenset[str]:
    """``rollback.allowed_to`` of the policy in force; without a policy the right alone decides."""
    revision = Policy.objects.in_force(endpoint.environment, endpoint.model.tier)
    return revision.rules.rollback_roles if revision is not None else frozenset()


def _refusal(promotion: PromotionRequest, words: str) -> NotAllowed:
    address = f"{settings.PUBLIC_URL}{promotion.address}"
    return NotAllowed(
        words + address, code="promotion_required", extra={"request": str(promotion.pk), "address": address}
    )
