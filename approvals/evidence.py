"""What a decision rests on: gathered from every package, canonical, hashed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone

from approvals.gates import Evidence, MetricEvidence, SliceEvidence
from approvals.models import PromotionRequest
from approvals.safety import Finding, ScanEvidence, SignatureEvidence
from approvals.schema_changes import changes_between
from monitoring.costs.models import PriceRule, Resource
from pipelines.models import DatasetVersion
from registry.data_facts import contract_states
from registry.evaluations.models import Evaluation
from registry.held_out import training_data_behind
from registry.lineage import is_training_known
from registry.models import ModelVersion
from registry.scans.models import Scan
from registry.signing.models import VersionSignature

SECONDS_PER_HOUR = 3600
LONGEST_CAUSE = 300


def gathered(promotion: PromotionRequest) -> Evidence:
    """Everything the gates may look at, as it is now."""
    version, evaluation = promotion.version, _finished(promotion.evaluation)
    return Evidence(
        metrics=_metrics(evaluation),
        slices=_slices(evaluation),
        latency_ms=_latency(evaluation),
        rows=evaluation.rows if evaluation else 0,
        has_champion=promotion.champion_id is not None,
        seen_by_champion=[str(each) for each in seen_by_champion(promotion)],
        is_seen_by_candidate=bool(seen_by_candidate(promotion)),
        holdout_kind=version.holdout.get("kind", ""),
        contracts=contract_states(version),
        is_training_known=is_training_known(version),
        schema_changes=_schema_changes(promotion),
        usd_per_1000=cost_forecast(evaluation),
        digest_registered=version.digest,
        digest_evaluated=evaluation.candidate_digest if evaluation else "",
        unevaluated=why_unevaluated(promotion.evaluation),
        is_intact=version.is_intact and version.deleted_at is None,
        sandbox=evaluation.sandbox if evaluation else "",
        scan=_scan(version),
        signature=_signature(version),
    )


def as_document(promotion: PromotionRequest, results: list[dict[str, str]]) -> dict[str, Any]:
    """What a signature covers; the same facts give the same bytes."""
    version, evaluation = promotion.version, _finished(promotion.evaluation)
    return {
        "request": str(promotion.pk),
        "model": version.model.name,
        "version": version.number,
        "digest": promotion.digest,
        "environment": promotion.environment.name,
        "champion": {"version": promotion.champion.number, "digest": promotion.champion.digest}
        if promotion.champion
        else None,
        "policy": promotion.as_policy(),
        "why": promotion.why,
        "known_limits": promotion.known_limits,
        "evaluation": {
            "id": str(evaluation.pk),
            "result_sha256": evaluation.result_sha256,
            "holdout_kind": evaluation.holdout_kind,
        }
        if evaluation
        else None,
        "data": {
            f"{use.role}: {use.dataset_version}": use.dataset_version.digest
            for use in version.datasets.select_related("dataset_version__dataset").order_by(
                "role", "dataset_version_id"
            )
        },
        "code_commit": version.code_commit,
        "gates": {each["id"]: {"outcome": each["outcome"], "observed": each["observed"]} for each in results},
    }


def why_unevaluated(evaluation: Evaluation | None) -> str:
    """What stands where an evaluation would have to say something: its first sentence is the cause."""
    if evaluation is None:
        return "not evaluated: no hold-out is named"
    if evaluation.status != Evaluation.Status.FAILED:
        return "not evaluated"
    cause = evaluation.failure.partition(". ")[0].rstrip(".")
    return f"the evaluation failed: {cause[:LONGEST_CAUSE]}"


def seen_by_champion(promotion: PromotionRequest) -> list[DatasetVersion]:
    """Data set versions the champion was trained on and that hold rows of the hold-out."""
    evaluation = promotion.evaluation
    if evaluation is None or promotion.champion is None:
        return []
    return training_data_behind(promotion.champion, evaluation.dataset_version)


def seen_by_candidate(promotion: PromotionRequest) -> list[DatasetVersion]:
    """The same of the candidate: then its figures say nothing."""
    if promotion.evaluation is None:
        return []
    return training_data_behind(promotion.version, promotion.evaluation.dataset_version)


def cost_forecast(evaluation: Evaluation | None) -> Decimal | None:
    """USD per 1,000 predictions: the CPU time measured on the hold-out at today's price.

    A lower bound: memory, idle time and a shadow depend on traffic that nobody knows yet.
    """
    rule = PriceRule.objects.in_force_on(timezone.now().date()).get(Resource.CPU)
    if evaluation is None or evaluation.cpu_seconds_per_1000 is None or rule is None:
        return None
    return Decimal(str(round(evaluation.cpu_seconds_per_1000, 6))) / SECONDS_PER_HOUR * rule.price_usd


def _scan(version: ModelVersion) -> ScanEvidence | None:
    """Of these very bytes; one under way says nothing yet, and leaves the word of the one before."""
    over = [Scan.Status.FINISHED, Scan.Status.FAILED]
    scan = version.scans.filter(digest=version.digest, status__in=over).newest_first().first()
    if scan is None:
        return None
    findings = [
        Finding(each["severity"], each["what"], each["path"])
        for report in scan.reports
        for each in report["findings"]
    ]
    return ScanEvidence(scan.verdict, tuple(report["scanner"] for report in scan.reports), findings)


def _signature(version: ModelVersion) -> SignatureEvidence | None:
    found = VersionSignature.objects.filter(version=version).select_related("key").first()
    if found is None:
        return None
    key = found.key
    return SignatureEvidence(
        found.outcome, key.name if key else "", key is not None and key.retired_at is not None
    )


def _finished(evaluation: Evaluation | None) -> Evaluation | None:
    return evaluation if evaluation is not None and evaluation.status == Evaluation.Status.SUCCEEDED else None


def _metrics(evaluation: Evaluation | None) -> dict[str, MetricEvidence]:
    if evaluation is None:
        return {}
    found = {}
    for name, by in evaluation.comparison.get("metrics", {}).items():
        if by["candidate"]["estimate"] is None:
            continue
        difference = by.get("difference") or {}
        found[name] = MetricEvidence(
            candidate=by["candidate"]["estimate"],
            champion=(by.get("champion") or {}).get("estimate"),
            difference=difference.get("estimate"),
            low=difference.get("low"),
            high=difference.get("high"),
        )
    return found


def _slices(evaluation: Evaluation | None) -> list[SliceEvidence]:
    if evaluation is None:
        return []
    return [
        SliceEvidence(
            column=each["column"],
            value=each["value"],
            rows=each["rows"],
            candidate=each["candidate"]["estimate"],
            champion=(each.get("champion") or {}).get("estimate"),
            difference=(each.get("difference") or {}).get("estimate"),
            low=(each.get("difference") or {}).get("low"),
            high=(each.get("difference") or {}).get("high"),
        )
        for each in evaluation.slices
    ]


def _latency(evaluation: Evaluation | None) -> dict[str, float]:
    measured = evaluation.latency.get("candidate", {}) if evaluation else {}
    return {name: value for name, value in measured.items() if value is not None}


def _schema_changes(promotion: PromotionRequest) -> list[dict[str, str]] | None:
    if not promotion.version.signature:
        return None
    before = promotion.champion.signature if promotion.champion else None
    return changes_between(before, promotion.version.signature) if before else []
