"""Paired intervals for dependent rows: whole blocks (days, groups) are drawn, never rows.

Every metric is rebuilt from what each block contributes, so a resample costs little: ROC AUC is
a quadratic form in the block counts, Brier and log loss are ratios of block sums, and average
precision is two running sums over rows that were ranked once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit

from measures.binary import METRICS, Floats, Ranking, checked_rows, log_losses, squared_errors

FEWEST_BLOCKS = 7
LARGEST_LOSS = 0.05
METHOD = (
    "Percentile bootstrap over whole blocks, paired (both models on the same drawn blocks), with "
    "the percentiles widened for few blocks as by Hesterberg (2015), 'What teachers should know "
    "about the bootstrap', The American Statistician 69(4), section 5.3."
)

Counts = NDArray[np.int64]
Statistic = Callable[[Counts], Floats]


@dataclass(frozen=True)
class Interval:
    """An estimate on all rows with its interval; ``low`` and ``high`` are None if inconclusive."""

    estimate: float | None
    low: float | None
    high: float | None
    reason: str = ""

    @property
    def is_conclusive(self) -> bool:
        return self.low is not None and self.high is not None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "is_conclusive": self.is_conclusive}


@dataclass(frozen=True)
class Comparison:
    """What one model, or two on the same rows, scored.

    ``metrics`` maps a metric's name to ``{model: Interval, "difference": Interval}``; the
    difference is the first model minus the second and is there only for two models.
    """

    metrics: dict[str, dict[str, Interval]]
    rows: int
    positives: int
    blocks: int
    resamples: int
    seed: int
    level: float
    method: str = METHOD

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, the form kept in evaluations and quality windows."""
        plain = {metric: {who: i.to_json() for who, i in by.items()} for metric, by in self.metrics.items()}
        return {**{name: getattr(self, name) for name in ("rows", "positives", "blocks", "resamples")},
                "seed": self.seed, "level": self.level, "method": self.method, "metrics": plain}  # fmt: skip


def compare(
    labels: ArrayLike,
    scores: Mapping[str, ArrayLike],
    blocks: ArrayLike,
    *,
    metrics: tuple[str, ...] = METRICS,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    fewest_blocks: int = FEWEST_BLOCKS,
) -> Comparison:
    """Metrics of one or two models on the same rows with blocked, paired intervals.

    ``labels``: n values 0 or 1. ``scores``: model name to n probabilities, one or two models.
    ``blocks``: n values (days, groups) whose rows depend on each other. The same seed gives the
    same numbers. With fewer than ``fewest_blocks`` blocks, or when more than 5 % of the
    resamples leave a metric undefined, the interval is inconclusive and says why. Raises
    ValueError for rows `checked_rows` refuses and for more than two models.
    """
    names = list(scores)
    if not 1 <= len(names) <= 2 or "difference" in names:
        raise ValueError("scores must hold one or two models, none called 'difference'.")
    rows = {name: checked_rows(labels, scores[name]) for name in names}
    truth = rows[names[0]][0]
    keys, codes = np.unique(np.asarray(blocks), return_inverse=True)
    if codes.shape != truth.shape:
        raise ValueError("blocks must hold one value per row.")
    draws = _draws(keys.size, resamples, seed)
    found = {}
    for metric in metrics:
        statistics = {name: STATISTICS[metric](truth, rows[name][1], codes, keys.size) for name in names}
        found[metric] = _intervals(statistics, draws, keys.size, level, fewest_blocks)
    return Comparison(
        metrics=found,
        rows=int(truth.size),
        positives=int(truth.sum()),
        blocks=int(keys.size),
        resamples=resamples,
        seed=seed,
        level=level,
    )


def _draws(blocks: int, resamples: int, seed: int) -> Counts:
    """How often each block was drawn, per resample; the first row is every block once."""
    once = np.ones((1, blocks), dtype=np.int64)
    if not blocks:
        return once
    drawn = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples)
    return np.vstack([once, drawn])


def _intervals(
    statistics: dict[str, Statistic], draws: Counts, blocks: int, level: float, fewest: int
) -> dict[str, Interval]:
    values = {name: statistic(draws) for name, statistic in statistics.items()}
    if len(values) == 2:
        first, second = values.values()
        values["difference"] = first - second
    return {name: _interval(value, blocks, level, fewest) for name, value in values.items()}


def _interval(values: Floats, blocks: int, level: float, fewest: int) -> Interval:
    estimate = None if math.isnan(values[0]) else float(values[0])
    if estimate is None:
        return Interval(None, None, None, "The rows hold one class only." if blocks else "There are no rows.")
    if blocks < fewest:
        return Interval(estimate, None, None, f"{blocks} blocks; an interval needs at least {fewest}.")
    drawn = values[1:]
    kept = drawn[~np.isnan(drawn)]
    if kept.size < (1 - LARGEST_LOSS) * drawn.size or not kept.size:
        return Interval(estimate, None, None, "Too many resamples hold one class only.")
    tail = _widened_tail(blocks, level)
    low, high = np.quantile(kept, [tail, 1 - tail])
    return Interval(estimate, float(low), float(high))


def _widened_tail(blocks: int, level: float) -> float:
    """The percentile that makes up for the bootstrap's narrowness with few blocks."""
    t = stdtrit(blocks - 1, 1 - (1 - level) / 2)
    return float(ndtr(-math.sqrt(blocks / (blocks - 1)) * t))


def _auc_statistic(truth: Floats, score: Floats, codes: Counts, blocks: int) -> Statistic:
    """U = c' M c, where M[d, e] counts positives of block d ranked above negatives of block e."""
    positive = np.flatnonzero(truth == 1)
    positive = positive[np.argsort(score[positive], kind="stable")]
    ranked, their_blocks = score[positive], codes[positive]
    negative = np.flatnonzero(truth == 0)
    wins = np.zeros((blocks, blocks))
    by_block = negative[np.argsort(codes[negative], kind="stable")]
    bounds = np.searchsorted(codes[by_block], np.arange(blocks + 1))
    for block in range(blocks):
        losers = np.sort(score[by_block[bounds[block] : bounds[block + 1]]])
        if losers.size and ranked.size:
            below = np.searchsorted(losers, ranked, "left") + np.searchsorted(losers, ranked, "right")
            wins[:, block] = np.bincount(their_blocks, weights=below, minlength=blocks) / 2
    positives = np.bincount(codes, weights=truth, minlength=blocks)
    negatives = np.bincount(codes, minlength=blocks) - positives

    def statistic(draws: Counts) -> Floats:
        weights = draws.astype(np.float64)
        pairs = (weights @ positives) * (weights @ negatives)
        won = ((weights @ wins) * weights).sum(axis=1)
        return np.divide(won, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)

    return statistic


def _precision_statistic(truth: Floats, score: Floats, codes: Counts, blocks: int) -> Statistic:
    ranking = Ranking(truth, score) if truth.size else None
    sorted_codes = codes[ranking.order] if ranking else codes

    def statistic(draws: Counts) -> Floats:
        values = np.full(draws.shape[0], np.nan)
        if ranking is None:
            return values
        for number, counts in enumerate(draws.astype(np.float64)):
            value = ranking.average_precision(counts[sorted_codes])
            if value is not None:
                values[number] = value
        return values

    return statistic


def _mean_statistic(per_row: Callable[[Floats, Floats], Floats]) -> Callable[..., Statistic]:
    def build(truth: Floats, score: Floats, codes: Counts, blocks: int) -> Statistic:
        sums = np.bincount(codes, weights=per_row(truth, score), minlength=blocks)
        sizes = np.bincount(codes, minlength=blocks).astype(np.float64)

        def statistic(draws: Counts) -> Floats:
            rows = draws @ sizes
            return np.divide(draws @ sums, rows, out=np.full(rows.shape, np.nan), where=rows > 0)

        return statistic

    return build


STATISTICS: dict[str, Callable[..., Statistic]] = {
    "roc_auc": _auc_statistic,
    "pr_auc": _precision_statistic,
    "brier": _mean_statistic(squared_errors),
    "log_loss": _mean_statistic(log_losses),
}
