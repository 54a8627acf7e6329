"""What this installation measured of versions on their own hold-outs, beside what their runs logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q

from core import figures
from core.actors import Actor
from registry.answers import Answer
from registry.evaluations.models import Evaluation, EvaluationQuerySet
from registry.evaluations.verdicts import METRICS
from registry.metrics import main_metric, telling, word_of
from registry.models import ModelVersion, VersionDataset

# Names that runs give to what evaluations measure.
ALSO = {"auc": "roc_auc", "average_precision": "pr_auc"}
Figures = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """One figure of one version; ``claim`` is what its run logged of the same metric, if it did."""

    name: str
    value: float
    low: float | None
    high: float | None
    claim: float | None
    logged: str
    data: str
    data_id: Any
    address: str
    is_trained_on: bool

    @property
    def words(self) -> str:
        return METRICS[self.name][0]

    @property
    def where(self) -> str:
        return f"scored here on {'rows it was trained on' if self.is_trained_on else self.data}"

    @property
    def note(self) -> str:
        """Where it was scored and what the run said, for a line below the figure."""
        return f"{self.where}; its run logged {self.logged}" if self.logged else self.where

    @property
    def is_apart(self) -> bool:
        """Whether what the run logged lies outside the interval; rows trained on are a worse matter."""
        if self.claim is None or self.low is None or self.high is None or self.is_trained_on:
            return False
        return not self.low <= self.claim <= self.high

    @property
    def warning(self) -> Answer:
        title = f"Its run logged {self.words} {figures.measured(self.claim or 0.0)}; it is {figures.measured(self.value)} here"
        detail = (
            f"Measured on {self.data}, 95 % interval {figures.measured(self.low or 0.0)} to {figures.measured(self.high or 0.0)}."
            " Gates and reviewers go by what is measured; the run may have tested on other rows."
        )
        return Answer("warn", "triangle-alert", title, detail, self.address, "The evaluation")


def measured_of(actor: Actor, versions: Sequence[ModelVersion], metric: str = "") -> dict[str, Measured]:
    """By the version's id as text: the newest figure of ``metric``, else of its run's main one; one query.

    Nothing is told of figures on data that the reader may not see.
    """
    known = {str(version.pk): version for version in versions}
    heldout = _uses(VersionDataset.Role.HOLDOUT, Q(dataset_version=OuterRef("dataset_version")))
    rows = _succeeded(Evaluation.objects.visible_to(actor).filter(candidate__in=list(known)))
    newest = (
        rows.filter(heldout, is_data_seen=True)
        .annotate(is_trained_on=trained_on_rows())
        .order_by("candidate_id", "-created_at")
        .distinct("candidate_id")
        .select_related("dataset_version__dataset")
        .only("candidate_id", "comparison", "dataset_version__number", "dataset_version__dataset__name")
    )
    found = {str(row.candidate_id): _figure(row, known[str(row.candidate_id)], metric) for row in newest}
    return {key: each for key, each in found.items() if each is not None}


def claims_apart(actor: Actor, version: ModelVersion) -> list[Answer]:
    """A warning where what the run logged is not what was measured."""
    return [each.warning for each in measured_of(actor, [version]).values() if each.is_apart]


def is_evaluated(version: ModelVersion) -> bool:
    """Whether these very bytes were scored on the version's own hold-out, whoever may read how."""
    heldout = version.datasets.filter(role=VersionDataset.Role.HOLDOUT).values("dataset_version")
    return _succeeded(version.evaluations.all()).filter(dataset_version__in=heldout).exists()


def trained_on_rows() -> Exists:
    """Of an evaluation: its candidate names the very data it was scored on as its training."""
    same = Q(dataset_version__digest=OuterRef("dataset_digest"))
    return _uses(VersionDataset.Role.TRAINING, same | Q(dataset_version=OuterRef("dataset_version")))


def measured_name(metric: str) -> str:
    """Which of the evaluations' own metrics a run's metric is, if it is one."""
    name = metric.lower()
    return next((each for each in METRICS if name.endswith(each)), "") or next(
        (said for word, said in ALSO.items() if name.endswith(word)), ""
    )


def _succeeded(rows: EvaluationQuerySet) -> EvaluationQuerySet:
    return rows.filter(status=Evaluation.Status.SUCCEEDED, candidate_digest=F("candidate__digest"))


def _uses(role: str, data: Q) -> Exists:
    return Exists(VersionDataset.objects.filter(data, version=OuterRef("candidate"), role=role))


def _figure(row: Any, version: ModelVersion, metric: str) -> Measured | None:
    known: Figures = row.comparison.get("metrics", {})
    main = metric or main_metric([version])
    names = [name for name in (measured_name(main), *METRICS) if _estimate(known, name) is not None]
    if not names:
        return None
    name, candidate = names[0], known[names[0]]["candidate"]
    claim, logged = _claim(version, name, main)
    return Measured(
        name=name,
        value=candidate["estimate"],
        low=candidate.get("low"),
        high=candidate.get("high"),
        claim=claim,
        logged=logged,
        data=str(row.dataset_version),
        data_id=row.dataset_version_id,
        address=row.address,
        is_trained_on=row.is_trained_on,
    )


def _estimate(known: Figures, name: str) -> Any:
    return known.get(name, {}).get("candidate", {}).get("estimate")


def _claim(version: ModelVersion, name: str, main: str) -> tuple[float | None, str]:
    """What the run logged of the same metric, or words for what it logged instead."""
    same = telling(each for each in version.metrics if measured_name(each) == name)
    for each in (same, main):
        value = version.metrics.get(each)
        if each and isinstance(value, int | float) and not isinstance(value, bool):
            number = figures.measured(value)
            is_same = each == same
            return (float(value), number) if is_same else (None, f"{word_of(each)} {number}")
    return None, ""
