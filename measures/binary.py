"""Metrics of a binary classifier, equal to scikit-learn's on the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

METRICS = ("roc_auc", "pr_auc", "brier", "log_loss")
HIGHER_IS_BETTER = {"roc_auc": True, "pr_auc": True, "brier": False, "log_loss": False}
SMALLEST = float(np.finfo(np.float64).eps)

Floats = NDArray[np.float64]


def checked_rows(labels: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    """Labels (0 or 1) and scores (a probability of 1) as float arrays of one length.

    Raises ValueError for other labels, scores outside 0 to 1, NaN, or unequal lengths.
    """
    truth = np.asarray(labels, dtype=np.float64)
    score = np.asarray(scores, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != score.shape:
        raise ValueError("labels and scores must be two flat arrays of one length.")
    if truth.size and not np.isin(truth, (0.0, 1.0)).all():
        raise ValueError("labels must be 0 or 1.")
    if score.size and not ((score >= 0) & (score <= 1)).all():
        raise ValueError("scores must be probabilities from 0 to 1.")
    return truth, score


def binary_metrics(labels: ArrayLike, scores: ArrayLike) -> dict[str, float | None]:
    """``roc_auc``, ``pr_auc`` (average precision), ``brier`` and ``log_loss`` of ``n`` rows.

    A metric the rows cannot give (one class only, no rows) is None. Agrees with scikit-learn's
    ``roc_auc_score``, ``average_precision_score``, ``brier_score_loss`` and ``log_loss`` to 1e-9.
    """
    truth, score = checked_rows(labels, scores)
    if not truth.size:
        return dict.fromkeys(METRICS)
    return {
        "roc_auc": roc_auc(truth, score),
        "pr_auc": average_precision(truth, score),
        "brier": float(squared_errors(truth, score).mean()),
        "log_loss": float(log_losses(truth, score).mean()),
    }


def roc_auc(truth: Floats, score: Floats) -> float | None:
    """Area under the ROC curve as the Mann-Whitney statistic; ties count half."""
    positive, negative = score[truth == 1], np.sort(score[truth == 0])
    if not positive.size or not negative.size:
        return None
    positive = np.sort(positive)
    below = np.searchsorted(negative, positive, "left") + np.searchsorted(negative, positive, "right")
    return float(below.sum(dtype=np.float64) / 2 / positive.size / negative.size)


def average_precision(truth: Floats, score: Floats) -> float | None:
    """Sum over thresholds of precision times the gain in recall (no interpolation)."""
    if not truth.any():
        return None
    ranking = Ranking(truth, score)
    return ranking.average_precision(np.ones(truth.size))


def squared_errors(truth: Floats, score: Floats) -> Floats:
    """Per row; their mean is the Brier score."""
    return (score - truth) ** 2


def log_losses(truth: Floats, score: Floats) -> Floats:
    """Per row, natural logarithm, scores kept one machine epsilon away from 0 and 1."""
    kept = np.clip(score, SMALLEST, 1 - SMALLEST)
    return -np.log(np.where(truth == 1, kept, 1 - kept))


class Ranking:
    """Rows sorted by falling score once, so that many weightings of them are cheap.

    Only runs of equal scores that hold a positive add to the average precision, so only their
    ends are looked at.
    """

    def __init__(self, truth: Floats, score: Floats) -> None:
        self.order = np.argsort(-score, kind="stable")
        falling = score[self.order]
        self.positives = np.flatnonzero(truth[self.order] == 1)
        ends = np.append(np.flatnonzero(np.diff(falling)), falling.size - 1)
        run_of_positive = np.searchsorted(ends, self.positives)
        self.last_positives = np.append(np.flatnonzero(np.diff(run_of_positive)), self.positives.size - 1)
        self.run_ends = ends[run_of_positive[self.last_positives]] if self.positives.size else ends[:0]

    def average_precision(self, weights: Floats) -> float | None:
        """Average precision with a weight per row; rows are in the ranking's order."""
        if not self.positives.size:
            return None
        found = np.cumsum(weights[self.positives])[self.last_positives]
        taken = np.cumsum(weights)[self.run_ends]
        if found[-1] <= 0:
            return None
        precision = np.divide(found, taken, out=np.zeros_like(found), where=taken > 0)
        gain = np.diff(found, prepend=0.0)
        # Not gain @ precision: BLAS threads of that small product cost ten times its work.
        return float((gain * precision).sum() / found[-1])


def sliced_rows(values: ArrayLike, min_rows: int) -> dict[str, Any]:
    """Row numbers of each value with at least ``min_rows`` rows; ``other`` is not made up."""
    labels, codes = np.unique(np.asarray(values).astype(str), return_inverse=True)
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(labels.size + 1))
    groups = {str(labels[i]): order[bounds[i] : bounds[i + 1]] for i in range(labels.size)}
    return {name: rows for name, rows in groups.items() if rows.size >= min_rows}
