"""What the review page shows, block by block: numbers with their intervals and a word for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from approvals import rights
from approvals.evidence import contracts_of, cost_forecast, seen_by_champion
from approvals.gates import LOWER_IS_BETTER, MINUS, NAMES, signed
from approvals.models import Decision, GateResult, PromotionRequest
from approvals.provenance import provenance_of
from approvals.schema_changes import changes_between, columns_of
from approvals.services import lacking
from audit.models import Event
from core.actors import Actor
from core.money import money
from monitoring.incidents.models import Incident
from registry.evaluations.models import Evaluation
from registry.readiness import HOLDOUT_WORDS

MOST_SLICES = 8
SPANS = {"roc_auc": 0.02, "pr_auc": 0.02, "brier": 0.01, "log_loss": 0.02}
ACTION_WORDS = {
    "approvals.requested": ("rocket", "opened this request"),
    "approvals.gates_judged": ("scale", "judged the gates"),
    "approvals.approved": ("badge-check", "approved"),
    "approvals.rejected": ("circle-x", "rejected"),
    "approvals.quorum_met": ("check", "saw the quorum met"),
    "approvals.approvals_voided": ("triangle-alert", "voided approvals"),
    "approvals.sent_back": ("undo-2", "sent it back"),
    "approvals.executed": ("rocket", "started the deployment"),
    "approvals.deployed": ("circle-check", "reported it live"),
    "approvals.failed": ("circle-x", "reported a failed deployment"),
    "approvals.rolled_back": ("undo-2", "reported a rollback"),
    "approvals.superseded": ("layers", "reported that another version replaced it"),
    "approvals.withdrawn": ("x", "withdrew it"),
    "approvals.expired": ("hourglass", "closed it as expired"),
}


@dataclass(frozen=True)
class Row:
    """A line of the comparison tables. ``low`` and ``high`` bound candidate minus champion."""

    name: str
    note: str
    champion: float | None
    candidate: float | None
    difference: float | None
    low: float | None
    high: float | None
    tone: str
    icon: str
    verdict: str
    span: float = 0.02
    limit: float | None = None
    rows: int = 0

    @property
    def interval(self) -> str:
        return f"{signed(self.low)} to {signed(self.high)}" if self.low is not None else "inconclusive"


def metric_rows(promotion: PromotionRequest, evaluation: Evaluation | None) -> list[Row]:
    """One row per metric with the limit of its gate, if a gate has one."""
    if evaluation is None:
        return []
    limits = {
        gate["metric"]: gate["min_difference"]
        for gate in promotion.policy_revision.rules.gates
        if gate["type"] == "metric" and "min_difference" in gate
    }
    found = []
    for name, by in evaluation.comparison.get("metrics", {}).items():
        note = "lower is better" if name in LOWER_IS_BETTER else "higher is better"
        found.append(
            _row(
                NAMES.get(name, name),
                note,
                by,
                name in LOWER_IS_BETTER,
                SPANS.get(name, 0.02),
                limits.get(name),
            )
        )
    return found


def slice_rows(evaluation: Evaluation | None) -> list[Row]:
    """Slices, weakest first."""
    if evaluation is None:
        return []
    return [
        _row(each["value"], each["column"], each, False, 0.06, None, each["rows"])
        for each in evaluation.slices
    ]


def _row(
    name: str, note: str, by: dict[str, Any], lower: bool, span: float, limit: float | None, rows: int = 0
) -> Row:
    difference = by.get("difference") or {}
    champion = (by.get("champion") or {}).get("estimate")
    tone, icon, verdict = _verdict(difference, lower)
    return Row(
        name,
        note,
        champion,
        by["candidate"]["estimate"],
        difference.get("estimate"),
        difference.get("low"),
        difference.get("high"),
        tone,
        icon,
        verdict,
        span,
        limit,
        rows,
    )


def _verdict(difference: dict[str, Any], lower: bool) -> tuple[str, str, str]:
    """Tone, icon and word: only an interval that leaves zero out is better or worse."""
    if not difference:
        return "n", "minus", "No champion"
    low, high = difference.get("low"), difference.get("high")
    if low is None or high is None:
        return "warn", "circle-help", "Inconclusive"
    if lower:
        low, high = -high, -low
    if low > 0:
        return "ok", "circle-check", "Better"
    if high < 0:
        return "bad", "triangle-alert", "Worse"
    return "n", "minus", "No difference"


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
    return {
        "promotion": promotion,
        "version": promotion.version,
        "champion": promotion.champion,
        "evaluation": promotion.evaluation,
        "holdout_word": HOLDOUT_WORDS.get(evaluation.holdout_kind, "") if evaluation else "",
        "seen_by_champion": seen_by_champion(promotion),
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
        "verdict": _strip(promotion, evaluation, metrics, slices, gates),
        "schema_lines": _schema_lines(before, promotion.version.signature),
        "schema_changes": changes_between(before, promotion.version.signature) if before else [],
        "parameter_changes": _parameter_changes(promotion),
        "contracts": contracts_of(promotion.version),
        "datasets": list(promotion.version.datasets.select_related("dataset_version__dataset")),
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


def _strip(
    promotion: PromotionRequest,
    evaluation: Evaluation | None,
    metrics: list[Row],
    slices: list[Row],
    gates: list[GateResult],
) -> list[dict[str, str]]:
    """Quality, weakest slice, gates, latency, cost: the answer in five cells."""
    return [
        _quality(metrics),
        _weakest(slices),
        _gate_cell(promotion, gates),
        _latency(evaluation),
        _cost(evaluation),
    ]


def _cell(name: str, anchor: str, value: str, unit: str, note: str, tone: str, icon: str) -> dict[str, str]:
    return {
        "name": name,
        "anchor": anchor,
        "value": value,
        "unit": unit,
        "note": note,
        "tone": tone,
        "icon": icon,
    }


def _quality(metrics: list[Row]) -> dict[str, str]:
    auc = next((row for row in metrics if row.name == "ROC AUC"), None)
    if auc is None or auc.candidate is None:
        return _cell(
            "Quality", "metrics", "not known", "", "the evaluation has no result yet", "t3", "circle-dashed"
        )
    if auc.difference is None:
        return _cell(
            "Quality",
            "metrics",
            f"{auc.candidate:.4f}",
            "ROC AUC",
            "first release: nothing to compare with",
            "t3",
            "info",
        )
    look = {
        "ok": ("t-ok", "circle-check"),
        "bad": ("t-bad", "circle-x"),
        "warn": ("t-warn", "triangle-alert"),
    }
    tone, icon = look.get(auc.tone, ("t3", "minus"))
    return _cell(
        "Quality", "metrics", signed(auc.difference), "ROC AUC", f"95 % interval {auc.interval}", tone, icon
    )


def _weakest(slices: list[Row]) -> dict[str, str]:
    compared = [row for row in slices if row.difference is not None]
    if not compared:
        weakest = slices[0] if slices else None
        value = f"{weakest.candidate:.3f}" if weakest and weakest.candidate is not None else "not known"
        note = f"{weakest.note} = {weakest.name}" if weakest else "no slice has enough rows"
        return _cell("Weakest slice", "slices", value, "ROC AUC" if weakest else "", note, "t3", "info")
    weakest = compared[0]
    bad = weakest.tone == "bad"
    note = f"{weakest.note} = {weakest.name}, {weakest.verdict.lower()}"
    return _cell(
        "Weakest slice", "slices", f"{weakest.difference:+.3f}".replace("-", MINUS), "ROC AUC", note,
        "t-warn" if bad else "t-ok", "triangle-alert" if bad else "circle-check",
    )  # fmt: skip


def _gate_cell(promotion: PromotionRequest, gates: list[GateResult]) -> dict[str, str]:
    if not promotion.is_judged:
        return _cell(
            "Gates", "gates", "running", "", "judged when the evaluation ends", "t3", "loader-circle"
        )
    failed, warned = (sum(gate.outcome == word for gate in gates) for word in ("failed", "warned"))
    tone, icon = (
        ("t-bad", "circle-x")
        if failed
        else ("t-warn", "triangle-alert")
        if warned
        else ("t-ok", "circle-check")
    )
    note = f"{warned} warning{'s' * (warned != 1)}, {failed} failure{'s' * (failed != 1)}"
    return _cell(
        "Gates", "gates", str(len(gates) - failed - warned), f"of {len(gates)} pass", note, tone, icon
    )


def _latency(evaluation: Evaluation | None) -> dict[str, str]:
    measured = evaluation.latency.get("candidate", {}) if evaluation else {}
    if not measured.get("p95"):
        return _cell("Latency p95", "metrics", "not known", "", "not measured yet", "t3", "circle-dashed")
    former = (evaluation.latency.get("champion") or {}).get("p95") if evaluation else None
    note = f"champion {former:.1f} ms, one row in the sandbox" if former else "one row in the sandbox"
    return _cell("Latency p95", "metrics", f"{measured['p95']:.1f}", "ms", note, "t-ok", "circle-check")


def _cost(evaluation: Evaluation | None) -> dict[str, str]:
    forecast = cost_forecast(evaluation)
    if forecast is None:
        return _cell(
            "Cost forecast", "cost", "not known", "", "nothing has been metered yet", "t3", "circle-dashed"
        )
    return _cell(
        "Cost forecast",
        "cost",
        money(forecast),
        "per 1,000",
        "processor time of scoring only",
        "t-ok",
        "circle-check",
    )


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


def history(promotion: PromotionRequest) -> list[dict[str, Any]]:
    """Every event of the request from the ledger, oldest first; people's decisions stand out."""
    events = Event.objects.about("approvals.promotionrequest", str(promotion.pk)).order_by("id")[:200]
    lines = []
    for event in events:
        fields = event.fields
        if fields.get("outcome") == "denied":
            continue
        icon, words = ACTION_WORDS.get(fields["action"], ("circle-dot", fields["action"]))
        lines.append(
            {
                "icon": icon,
                "who": fields["actor"].get("name") or "system",
                "words": words,
                "at": event.recorded_at,
                "reason": fields.get("reason", ""),
                "after": fields.get("after") or {},
                "is_decision": fields["action"] in {"approvals.approved", "approvals.rejected"},
                "is_approval": fields["action"] == "approvals.approved",
            }
        )
    return lines
