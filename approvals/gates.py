"""Gates: pure functions from evidence to a result with the rule, what was seen, and words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from approvals.safety import ScanEvidence, SignatureEvidence, judge_scan, judge_signature
from core.figures import MINUS
from core.money import money

PASSED, WARNED, FAILED = "passed", "warned", "failed"
LOWER_IS_BETTER = {"brier", "log_loss"}
NAMES = {"roc_auc": "ROC AUC", "pr_auc": "PR AUC", "brier": "Brier score", "log_loss": "Log loss"}
# What a figure is worth nothing for; no data is named, since some readers may not see it.
LEAKED = "judged on rows it was trained on"
KNOWN_CHECKS = {"passed", "failed", "quarantined"}


@dataclass(frozen=True)
class MetricEvidence:
    """A metric of candidate and champion on the same rows; ``low`` and ``high`` bound the difference (95 %)."""

    candidate: float
    champion: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class SliceEvidence:
    """One slice: its column and value, rows, and the difference in ROC AUC with its interval."""

    column: str
    value: str
    rows: int
    candidate: float | None
    champion: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Evidence:
    """Everything gates may look at; what is not known is None, and no gate passes on None."""

    metrics: dict[str, MetricEvidence] = field(default_factory=dict)
    slices: list[SliceEvidence] = field(default_factory=list)
    latency_ms: dict[str, float] = field(default_factory=dict)
    rows: int = 0
    has_champion: bool = False
    seen_by_champion: list[str] = field(default_factory=list)
    is_seen_by_candidate: bool = False
    holdout_kind: str = ""
    contracts: list[dict[str, Any]] = field(default_factory=list)
    is_training_known: bool = False
    schema_changes: list[dict[str, str]] | None = None
    usd_per_1000: Decimal | None = None
    digest_registered: str = ""
    digest_evaluated: str = ""
    # What stands where an evaluation would have to say something.
    unevaluated: str = "not evaluated"
    is_intact: bool = False
    sandbox: str = ""
    scan: ScanEvidence | None = None
    signature: SignatureEvidence | None = None


@dataclass(frozen=True)
class Result:
    """What a gate found. ``outcome`` is passed, warned or failed."""

    id: str
    type: str
    mode: str
    outcome: str
    title: str
    rule: str
    observed: str

    def as_record(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Question:
    """What a gate will ask: the same words as its result will have."""

    title: str
    rule: str
    mode: str


def questions(gates: list[dict[str, Any]]) -> list[Question]:
    """Every gate of a policy in its order, before there is evidence."""
    nothing = Evidence()
    return [Question(*JUDGES[gate["type"]](gate, nothing)[:2], gate["mode"]) for gate in gates]


def judge(gates: list[dict[str, Any]], evidence: Evidence) -> list[Result]:
    """Every gate's result: failures first, then warnings, then passes, each in policy order."""
    order = {FAILED: 0, WARNED: 1, PASSED: 2}
    return sorted((_judge_one(gate, evidence) for gate in gates), key=lambda result: order[result.outcome])


def _judge_one(gate: dict[str, Any], evidence: Evidence) -> Result:
    title, rule, observed, holds = JUDGES[gate["type"]](gate, evidence)
    outcome = PASSED if holds else FAILED if gate["mode"] == "block" else WARNED
    return Result(gate["id"], gate["type"], gate["mode"], outcome, title, rule, observed)


Verdict = tuple[str, str, str, bool]


def _metric(gate: dict[str, Any], evidence: Evidence) -> Verdict:
    name = NAMES[gate["metric"]]
    seen = evidence.metrics.get(gate["metric"])
    if "min_difference" in gate:
        return _against_champion(gate, evidence, name, seen)
    low, high = gate.get("min"), gate.get("max")
    rule = " and ".join(
        words
        for words in (
            f"at least {low:g}" if low is not None else "",
            f"at most {high:g}" if high is not None else "",
        )
        if words
    )
    if seen is None:
        return f"{name} within limits", rule, evidence.unevaluated, False
    if evidence.is_seen_by_candidate:
        return f"{name} within limits", rule, f"{seen.candidate:.4f}, {LEAKED}", False
    holds = (low is None or seen.candidate >= low) and (high is None or seen.candidate <= high)
    return f"{name} within limits", rule, f"{seen.candidate:.4f}", holds


def _against_champion(
    gate: dict[str, Any], evidence: Evidence, name: str, seen: MetricEvidence | None
) -> Verdict:
    bound = gate.get("bound", "lower_95")
    least = float(gate["min_difference"])
    what = "95 % lower bound of the difference" if bound == "lower_95" else "difference"
    title, rule = f"{name} against the champion", f"{what} at least {signed(least) if least else 0}"
    if seen is None:
        return title, rule, evidence.unevaluated, False
    if evidence.is_seen_by_candidate:
        return title, rule, f"{seen.candidate:.4f}, {LEAKED}", False
    if not evidence.has_champion:
        return title, rule, f"no champion yet; the candidate has {seen.candidate:.4f}", True
    if seen.difference is None or (bound == "lower_95" and (seen.low is None or seen.high is None)):
        return title, rule, "inconclusive: too few days for an interval", False
    better = -1.0 if gate["metric"] in LOWER_IS_BETTER else 1.0
    worst = seen.difference if bound == "point" else (seen.low if better > 0 else seen.high)
    assert worst is not None
    interval = f", interval {signed(seen.low)} to {signed(seen.high)}" if seen.low is not None else ""
    observed = f"{signed(seen.difference)}{interval}"
    if evidence.seen_by_champion:
        observed += "; the champion was trained on rows of this hold-out, which favours it"
    return title, rule, observed, better * worst >= least


def _slice(gate: dict[str, Any], evidence: Evidence) -> Verdict:
    least, limit = int(gate.get("min_rows", 1)), float(gate["max_drop"])
    columns = ", ".join(gate["by"])
    title = "No slice falls behind"
    rule = f"no drop over {limit:g} in ROC AUC by {columns}, slices of at least {least:,} rows"
    if not evidence.has_champion:
        return title, rule, "no champion yet to compare with", True
    if evidence.is_seen_by_candidate:
        return title, rule, LEAKED, False
    judged = [
        each
        for each in evidence.slices
        if each.column in gate["by"] and each.rows >= least and each.difference is not None
    ]
    if not judged:
        return title, rule, "no slice has enough rows" if evidence.rows else evidence.unevaluated, False
    weakest = min(judged, key=lambda each: each.difference or 0.0)
    assert weakest.difference is not None
    note = f"weakest is {weakest.column} = {weakest.value}: {signed(weakest.difference)} on {weakest.rows:,} rows"
    return title, rule, f"{note}; {len(judged)} slices looked at", weakest.difference >= -limit


def _holdout(gate: dict[str, Any], evidence: Evidence) -> Verdict:
    words = {"random": "random", "time_ordered": "ordered by time", "grouped": "grouped"}
    allowed = ", ".join(words[each] for each in gate["allowed"])
    observed = words.get(evidence.holdout_kind, "not known")
    if evidence.holdout_kind == "random":
        observed += ": rows of one day are alike, so it flatters"
    return (
        "How the hold-out was split",
        f"allowed: {allowed}",
        observed,
        evidence.holdout_kind in gate["allowed"],
    )


def _contract(gate: dict[str, Any], evidence: Evidence) -> Verdict:
    title, rule = "Data contract", "every data set version behind it was checked and holds"
    if not evidence.contracts:
        return title, rule, "no data set version is known", False
    failed = [each["name"] for each in evidence.contracts if each["status"] == "failed"]
    withheld = [each["name"] for each in evidence.contracts if each["status"] == "quarantined"]
    unchecked = [each["name"] for each in evidence.contracts if each["status"] not in KNOWN_CHECKS]
    if failed or withheld or unchecked:
        seen = [f"{name} is quarantined" for name in withheld] + [f"{name} fails" for name in failed]
        seen += [f"{name} was not checked" for name in unchecked]
        return title, rule, ", ".join(seen), False
    if not evidence.is_training_known:
        return title, rule, "what it was trained on is not known", False
    held = len(evidence.contracts)
    return title, rule, f"{held} data set version{'s hold' if held > 1 else ' holds'}", True


def _schema(gate: dict[str, Any], evidence: Evidence) -> Verdict:
    title, rule = "Schema", "the signature takes what callers send today, or a signature exists"
    if evidence.schema_changes is None:
        return title, rule, "the version has no signature", False
    breaking = [each for each in evidence.schema_changes if each["kind"] == "breaking"]
    if breaking:
        return title, rule, "; ".join(each["words"] for each in breaking), False
    changes = [each["words"] for each in evidence.schema_changes]
    return title, rule, "; ".join(changes) if changes else "unchanged, or the first version", True


def _latency(gate: dict[str, Any], evidence: Evidence) -> Verdict:
    quantile = f"p{round(gate['quantile'] * 100)}"
    seen = evidence.latency_ms.get(quantile)
    title, rule = f"Latency {quantile}", f"at most {gate['max_ms']:g} ms"
    if seen is None:
        return title, rule, "not measured" if evidence.rows else evidence.unevaluated, False
    return title, rule, f"{seen:.1f} ms for one row in the sandbox", seen <= gate["max_ms"]


def _cost(gate: dict[str, Any], evidence: Evidence) -> Verdict:
    most = Decimal(gate["max_usd_per_1000"])
    title, rule = "Cost forecast", f"at most ${most} per 1,000 predictions"
    if evidence.usd_per_1000 is None:
        return title, rule, "not known: nothing has been metered", False
    return title, rule, f"{money(evidence.usd_per_1000)} per 1,000 predictions", evidence.usd_per_1000 <= most


def _digest(gate: dict[str, Any], evidence: Evidence) -> Verdict:
    title, rule = "Artifact digest", "the bytes evaluated are those registered, and they are still there"
    if not evidence.is_intact:
        return title, rule, "the stored files have changed", False
    if not evidence.digest_evaluated:
        return title, rule, f"the stored files are as registered; {evidence.unevaluated}", False
    same = evidence.digest_registered == evidence.digest_evaluated
    return (
        title,
        rule,
        f"sha256:{evidence.digest_registered[:12]}… {'on both' if same else 'was registered, another evaluated'}",
        same,
    )


def _sandbox(gate: dict[str, Any], evidence: Evidence) -> Verdict:
    seen = evidence.sandbox or "not known"
    return "Sandbox level", f"one of: {', '.join(gate['allowed'])}", seen, evidence.sandbox in gate["allowed"]


JUDGES: dict[str, Callable[[dict[str, Any], Evidence], Verdict]] = {
    "metric": _metric,
    "slice": _slice,
    "holdout_kind": _holdout,
    "data_contract": _contract,
    "schema_compatible": _schema,
    "latency": _latency,
    "cost_forecast": _cost,
    "artifact_digest": _digest,
    "sandbox": _sandbox,
    "scan": lambda gate, evidence: judge_scan(gate, evidence.scan),
    "signature": lambda gate, evidence: judge_signature(gate, evidence.signature),
}


def signed(value: float | None) -> str:
    """A difference with its sign; a real minus."""
    if value is None:
        return "unknown"
    return f"{MINUS if value < 0 else '+'}{abs(value):.4f}"
