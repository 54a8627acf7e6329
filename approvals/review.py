"""What the review page shows, block by block: numbers with their intervals and a word for each."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from approvals import rights
from approvals.answer_strip import strip
from approvals.comparison_rows import metric_rows, slice_rows
from approvals.evidence import cost_forecast, seen_by_candidate, seen_by_champion
from approvals.gates import MINUS
from approvals.history import history
from approvals.models import Decision, GateResult, PromotionRequest
from approvals.provenance import provenance_of
from approvals.schema_changes import changes_between, columns_of
from approvals.services import lacking
from approvals.signers import shortage_of
from core.actors import Actor
from monitoring.incidents.models import Incident
from registry.data_facts import contract_states, names_for
from registry.evaluations.models import Evaluation
from registry.lineage import data_of, names_behind
from registry.readiness import HOLDOUT_WORDS, untraced_inputs

MOST_SLICES = 8


def context(promotion: PromotionRequest, actor: Actor) -> dict[str, Any]:
    """Everything on the page."""
    evaluation = promotion.evaluation if promotion.evaluation and promotion.evaluation.comparison else None
    gates = _ordered_gates(promotion)
    metrics, slices = metric_rows(promotion, evaluation), slice_rows(evaluation)
    decisions = list(Decision.objects.filter(promotion=promotion).select_related("by", "person"))
    gaps = lacking(promotion) if promotion.status == PromotionRequest.Status.PENDING else {}
    refusal = rights.why_not_decide(actor, promotion)
    wanted = sum(promotion.policy_revision.rules.quorum.values())
    before = promotion.champion.signature if promotion.champion else None
    datasets, behind = data_of(actor, promotion.version), names_behind(promotion.version)
    return {
        "promotion": promotion,
        "version": promotion.version,
        "champion": promotion.champion,
        "evaluation": promotion.evaluation,
        "failed_evaluation": _failed(promotion.evaluation),
        "holdout_word": HOLDOUT_WORDS.get(evaluation.holdout_kind, "") if evaluation else "",
        "seen_by_champion": names_for(actor, seen_by_champion(promotion)),
        "seen_by_candidate": names_for(actor, seen_by_candidate(promotion)),
        "gates": gates,
        "blocking": [gate.title for gate in gates if gate.outcome == GateResult.Outcome.FAILED],
        "provenance": provenance_of(actor, promotion.version, promotion.champion),
        "counts": {
            word: sum(gate.outcome == word for gate in gates) for word in ("passed", "warned", "failed")
        },
        "metrics": metrics,
        "slices": slices[:MOST_SLICES],
        "more_slices": slices[MOST_SLICES:],
        "slice_count": len(slices),
        "verdict": strip(promotion, evaluation, metrics, slices, gates),
        "schema_lines": _schema_lines(before, promotion.version.signature),
        "schema_changes": changes_between(before, promotion.version.signature) if before else [],
        "parameter_changes": _parameter_changes(promotion),
        "contracts": contract_states(promotion.version),
        "datasets": datasets,
        "is_data_hidden": bool(behind and not datasets),
        "untraced_inputs": untraced_inputs(promotion.version, behind),
        "cost": cost_forecast(evaluation),
        "champion_cost": None,
        "decisions": decisions,
        "given": wanted - sum(gaps.values())
        if promotion.status == PromotionRequest.Status.PENDING
        else wanted,
        "wanted": wanted,
        "gaps": [(role, count) for role, count in gaps.items()],
        "history": history(promotion),
        "setback": _setback(promotion),
        "incidents": Incident.objects.filter(version=promotion.version).order_by("-opened_at")[:3],
        "shortage": shortage_of(promotion) if promotion.status == PromotionRequest.Status.PENDING else None,
        "refusal": refusal[1] if refusal else "",
        "signed_already": any(
            each.person_id == actor.person_id and each.voided_at is None for each in decisions
        ),
        "may_decide": refusal is None
        and promotion.status == PromotionRequest.Status.PENDING
        and promotion.is_judged,
        "may_withdraw": promotion.status in {"pending", "approved"} and rights.may_withdraw(actor, promotion),
        "my_role": ", ".join(rights.roles_for(actor, promotion)),
        "steps": (promotion.policy_revision.rules.rollout or {"steps": [{"weight": 100}]})["steps"],
    }


def _failed(evaluation: Evaluation | None) -> Evaluation | None:
    return evaluation if evaluation and evaluation.status == Evaluation.Status.FAILED else None


def _ordered_gates(promotion: PromotionRequest) -> list[GateResult]:
    order = {"failed": 0, "warned": 1, "passed": 2}
    found = list(GateResult.objects.filter(promotion=promotion, rev=promotion.rev).order_by("pk"))
    for gate in found:
        gate.evidence_address = _address_of_evidence(gate, promotion)
    return sorted(found, key=lambda gate: order[gate.outcome])


def _address_of_evidence(gate: GateResult, promotion: PromotionRequest) -> str:
    """Where what the gate looked at can be read in full."""
    version = promotion.version
    if gate.type in {"data_contract", "schema_compatible"}:
        return "#data"
    anchors = {"artifact_digest": "artifact", "scan": "scans", "signature": "signature"}
    if gate.type in anchors:
        place = f"/models/{quote(version.model.name, safe='')}/versions/{version.number}/"
        return f"{place}#{anchors[gate.type]}"
    return promotion.evaluation.address if promotion.evaluation else ""


def _setback(promotion: PromotionRequest) -> PromotionRequest | None:
    """The newest earlier release of the same version here that was taken back: who asks again must know."""
    rolled_back = PromotionRequest.objects.filter(
        version=promotion.version,
        environment=promotion.environment,
        status=PromotionRequest.Status.ROLLED_BACK,
    )
    return rolled_back.exclude(pk=promotion.pk).order_by("-created_at").first()


def _schema_lines(before: Any, after: Any) -> list[tuple[str, str, str]]:
    """A unified diff of input columns: class, sign, text."""
    old, new = columns_of(before), columns_of(after)
    lines = []
    for name in [*new, *(each for each in old if each not in new)]:
        if name in old and name in new and old[name].get("type") == new[name].get("type"):
            lines.append(("ctx", " ", _column(new[name])))
            continue
        if name in old and before is not None:
            lines.append(("del", MINUS, _column(old[name])))
        if name in new:
            lines.append(
                (
                    "add" if before is not None else "ctx",
                    "+" if before is not None else " ",
                    _column(new[name]),
                )
            )
    return lines


def _column(column: dict[str, Any]) -> str:
    need = "required" if column.get("required", True) else "optional"
    return f"{column['name']!s:<28}{column.get('type', '')!s:<12}{need}"


def _parameter_changes(promotion: PromotionRequest) -> list[tuple[str, str, str]]:
    if promotion.champion is None:
        return []
    old, new = promotion.champion.parameters, promotion.version.parameters
    return [
        (name, str(old.get(name, "not set")), str(new.get(name, "not set")))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
