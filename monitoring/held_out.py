"""What a version scored on the rows held out from its training: how its predictions usually look."""

from __future__ import annotations

from dataclasses import dataclass

from registry.evaluations.models import Evaluation
from registry.models import ModelVersion, VersionDataset


@dataclass(frozen=True)
class HeldOutScores:
    """Where the scores lie in the object store (float64, native order), and where they come from."""

    digest: str
    words: str


def held_out_scores(version: ModelVersion) -> HeldOutScores | None:
    """Of the newest evaluation on the version's own hold-out; None before there is one.

    Scores of rows that were learnt from are sharper than any that will come, so that training
    data are no reference for predictions.
    """
    held_out = VersionDataset.objects.filter(version=version, role=VersionDataset.Role.HOLDOUT)
    evaluation = (
        Evaluation.objects.filter(
            candidate=version,
            candidate_digest=version.digest,
            dataset_version__in=held_out.values("dataset_version"),
            status=Evaluation.Status.SUCCEEDED,
        )
        .exclude(scores_digest="")
        .order_by("-finished_at")
        .first()
    )
    if evaluation is None:
        return None
    # Kept for everybody who sees the model: the data set, which not all of them may see, is not named.
    words = f"{evaluation.rows:,} rows of its hold-out, which training left out"
    return HeldOutScores(evaluation.scores_digest, words)
