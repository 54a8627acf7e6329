"""What the review page shows, block by block: numbers with their intervals and a word for each."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.urls import reverse

from approvals import rights
from approvals.answer_strip import strip
from approvals.comparison_rows import metric_rows, slice_rows
from approvals.evidence import cost_forecast, seen_by_candidate, seen_by_champion
from approvals.gates import MINUS
from approvals.history import ending_of, history
from approvals.models import Decision, GateResult, PromotionRequest
from approvals.provenance import provenance_of
from approvals.schema_changes import changes_between, columns_of
from approvals.services import is_being_judged, lacking, reasons_to_evaluate_again
from approvals.signers import shortage_of
from approvals.telling import contracts_for, gates_for
from core.actors import Actor
from monitoring.incidents.models import Incident
from registry.data_facts import UNSEEN_DATA, contract_states, names_for
from registry.evaluations.models import Evaluation
from registry.lineage import data_of, names_behind, sees_all_data
from registry.places import Places, places_of
from registry.readiness import HOLDOUT_WORDS, untraced_inputs

MOST_SLICES = 8


def context(promotion: PromotionRequest, actor: Actor) -> dict[str, Any]:
    """Everything on the page."""
    places = places_of(actor, promotion.version)
    is_data_seen = sees_all_data(actor, promotion.version_id)
    if promotion.evaluation is not None:
        promotion.evaluation.is_data_seen = is_data_seen
    figures = _figures(promotion, actor)
    gates = gates_for(_ordered_gates(promotion, places), is_data_seen=is_data_seen)
    measured, metrics, slices = figures["measured"], figures["metrics"], figures["all_slices"]
    return {
        **_request(promotion, actor, places),
        **figures,
        **_judged(gates),
        "verdict": strip(
            promotion, measured, metrics, slices, gates, is_leaked=bool(figures["seen_by_candidate"])
        ),
        **_changes(promotion, actor),
        "provenance": provenance_of(actor, promotion.version, promotion.champion),
        **_signatures(promotion, actor),
        **_past(promotion),
    }


def _request(promotion: PromotionRequest, actor: Actor, places: Places) -> dict[str, Any]:
    """What is asked, how it stands, and what becomes of it once it is approved."""
    version = promotion.version
    return {
        "promotion": promotion,
        "version": version,
        "champion": promotion.champion,
        "places": places,
        "trail": [
            ("Approvals", reverse("request-list")),
            (version.model.name, places.model),
            (f"v{version.number} to {promotion.environment}", ""),
        ],
        "again": _again(promotion, actor),
        "may_withdraw": promotion.status in promotion.OPEN and rights.may_withdraw(actor, promotion),
        "steps": (promotion.policy_revision.rules.rollout or {"steps": [{"weight": 100}]})["steps"],
    }


def _figures(promotion: PromotionRequest, actor: Actor) -> dict[str, Any]:
    """What was measured on the hold-out, if an evaluation has measured it."""
    asked = promotion.evaluation
    measured = asked if asked and asked.comparison else None
    slices = slice_rows(measured)
    return {
        "evaluation": asked,
        "measured": measured,
        "failed_evaluation": asked if asked and asked.status == Evaluation.Status.FAILED else None,
        "holdout_word": HOLDOUT_WORDS.get(measured.holdout_kind, "") if measured else "",
        "seen_by_champion": names_for(actor, seen_by_champion(promotion)),
        "seen_by_candidate": names_for(actor, seen_by_candidate(promotion)),
        "metrics": metric_rows(promotion, measured),
        "all_slices": slices,
        "slices": slices[:MOST_SLICES],
        "more_slices": slices[MOST_SLICES:],
        "slice_count": len(slices),
        "cost": cost_forecast(measured),
    }


def _judged(gates: list[GateResult]) -> dict[str, Any]:
    counts = Counter(gate.outcome for gate in gates)
    return {
        "gates": gates,
        "blocking": [gate.title for gate in gates if gate.outcome == GateResult.Outcome.FAILED],
        "counts": {word: counts[word] for word in GateResult.Outcome.values},
    }


def _changes(promotion: PromotionRequest, actor: Actor) -> dict[str, Any]:
    """What differs from the champion beside the figures, and the data behind it."""
    datasets, behind = data_of(actor, promotion.version), names_behind(promotion.version)
    before = promotion.champion.signature if promotion.champion else None
    return {
        "schema_lines": _schema_lines(before, promotion.version.signature),
        "schema_changes": changes_between(before, promotion.version.signature) if before else [],
        "parameter_changes": _parameter_changes(promotion),
        "contracts": contracts_for(
            contract_states(promotion.version), [use.dataset_version_id for use in datasets]
        ),
        "datasets": datasets,
        "is_data_hidden": bool(behind and not datasets),
        "untraced_inputs": untraced_inputs(promotion.version, behind),
    }


def _signatures(promotion: PromotionRequest, actor: Actor) -> dict[str, Any]:
    """Who has signed, who is missing, and whether the reader may."""
    is_pending = promotion.status == PromotionRequest.Status.PENDING
    decisions = list(Decision.objects.filter(promotion=promotion).select_related("by", "person"))
    gaps = lacking(promotion) if is_pending else {}
    approving = {each.person_id for each in decisions if each.counts}
    refusal = rights.why_not_decide(actor, promotion)
    wanted = sum(promotion.policy_revision.rules.quorum.values())
    signed = {each.person_id for each in decisions if each.voided_at is None}
    return {
        "decisions": decisions,
        "gaps": list(gaps.items()),
        "given": wanted - sum(gaps.values()) if is_pending else min(wanted, len(approving)),
        "wanted": wanted,
        "shortage": shortage_of(promotion) if is_pending else None,
        "refusal": refusal[1] if refusal else "",
        "signed_already": actor.person_id in signed,
        "may_decide": refusal is None and is_pending and not promotion.is_evaluating,
        "my_role": ", ".join(rights.roles_for(actor, promotion)),
    }


def _past(promotion: PromotionRequest) -> dict[str, Any]:
    return {
        "history": history(promotion),
        "ending": ending_of(promotion),
        "setback": _setback(promotion),
        "incidents": Incident.objects.filter(version=promotion.version).order_by("-opened_at")[:3],
    }


def _again(promotion: PromotionRequest, actor: Actor) -> dict[str, Any]:
    """Whether an open request is being judged, or why it should be evaluated again and who may say so."""
    if promotion.status not in promotion.OPEN:
        return {}
    if is_being_judged(promotion):
        return {"is_running": True}
    reasons = reasons_to_evaluate_again(promotion)
    if reasons and promotion.evaluation is not None and not promotion.evaluation.is_data_seen:
        reasons = [f"What it was judged on, {UNSEEN_DATA}, has changed or failed."]
    return {
        "reasons": reasons,
        "may": rights.may_evaluate_again(actor, promotion),
    }


def _ordered_gates(promotion: PromotionRequest, places: Places) -> list[GateResult]:
    order = {"failed": 0, "warned": 1, "passed": 2}
    found = list(GateResult.objects.filter(promotion=promotion, rev=promotion.rev).order_by("pk"))
    for gate in found:
        gate.evidence_address = _address_of_evidence(gate, promotion, places)
    return sorted(found, key=lambda gate: order[gate.outcome])


def _address_of_evidence(gate: GateResult, promotion: PromotionRequest, places: Places) -> str:
    """Where what the gate looked at can be read in full."""
    if gate.type in {"data_contract", "schema_compatible"}:
        return "#data"
    anchors = {"artifact_digest": "artifact", "scan": "scans", "signature": "signature"}
    if gate.type in anchors:
        return "" if places.is_deleted else f"{places.version}#{anchors[gate.type]}"
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
