"""What somebody who thinks of asking for a promotion is told before they write a word."""

from __future__ import annotations

from typing import Any

from approvals import rights, services
from approvals.failing import failing_gates, in_words
from approvals.gates import questions
from approvals.models import PromotionRequest
from core.actors import Actor
from core.errors import DomainError
from deployments.models import Endpoint, Environment
from deployments.services import require_deployable
from registry.answers import Answer
from registry.data_facts import facts_about
from registry.evaluations.measured import claims_apart
from registry.evaluations.setbacks import failure_of
from registry.lineage import data_of
from registry.models import ModelVersion
from registry.obstacles import obstacles_of


def context(actor: Actor, version: ModelVersion, environment: Environment) -> dict[str, Any]:
    """What will be checked and who approves; or why there is nothing to ask."""
    champion = services.champion_in(version, environment)
    if refusal := _why_not(actor, version, environment, champion):
        return {"refusal": refusal, "champion": champion}
    revision = services.policy_for(version, environment)
    return {
        "champion": champion,
        "revision": revision,
        "questions": questions(revision.rules.gates),
        "quorum": revision.rules.quorum,
        "warnings": sorted(_warnings(actor, version), key=lambda fact: not fact.forbids),
    }


def _warnings(actor: Actor, version: ModelVersion) -> list[Answer]:
    return [
        *facts_about(version, data_of(actor, version)),
        *failure_of(actor, version),
        *claims_apart(actor, version),
        *obstacles_of(actor, version),
    ]


def _why_not(
    actor: Actor, version: ModelVersion, environment: Environment, champion: ModelVersion | None
) -> dict[str, str] | None:
    """Title, sentence, address and word of the way on."""
    if champion is not None and champion.pk == version.pk:
        return _live_already(version, environment)
    if (under_way := _under_way(actor, version, environment)) is not None:
        failing = failing_gates([under_way])[under_way.pk] if under_way.gates_fail else []
        state = in_words(failing) if failing else under_way.word
        text = f"{under_way.requested_by.username} opened it. Its state: {state[:1].lower()}{state[1:]}."
        return _refusal("A request for this is under way", text, under_way.address, "Open the request")
    if not rights.may_request(actor, version):
        text = f"Asking needs the right to propose on {version.model}; who administers the model grants it."
        return _refusal("You may not request promotions of this model", text)
    try:
        require_deployable(version)
        services.policy_for(version, environment)
    except DomainError as error:
        return _refusal("No promotion can be requested", str(error))
    return None


def _live_already(version: ModelVersion, environment: Environment) -> dict[str, str]:
    endpoint = Endpoint.objects.get(model=version.model_id, environment=environment)
    return _refusal(
        f"{version} is live in {environment} already",
        "There is nothing to promote: it is the champion that requests are compared with.",
        f"/deployments/{endpoint.live_id}/",
        "Open its deployment",
    )


def _under_way(actor: Actor, version: ModelVersion, environment: Environment) -> PromotionRequest | None:
    rows = PromotionRequest.objects.visible_to(actor).under_way().select_related("requested_by")
    return rows.filter(version=version, environment=environment).first()


def _refusal(title: str, text: str, address: str = "", action: str = "") -> dict[str, str]:
    return {"title": title, "text": text, "address": address, "action": action}
