"""Which of a run's numbers is shown where there is room for one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from registry.models import ModelVersion
from registry.tracked import Run

PREFERRED = (
    "roc_auc",
    "auc",
    "pr_auc",
    "average_precision",
    "f1",
    "accuracy",
    "r2",
    "rmse",
    "mae",
    "log_loss",
)
WORDS = {
    "roc_auc": "ROC AUC",
    "auc": "AUC",
    "pr_auc": "PR AUC",
    "average_precision": "PR AUC",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "rmse": "RMSE",
    "mae": "MAE",
    "rows": "Rows",
}
LOWER_IS_BETTER = ("rmse", "mae", "mse", "loss", "brier", "error", "mape", "latency", "latency_ms")
PARTS = {
    "holdout": " on the hold-out",
    "test": " on the test rows",
    "training": " in training",
    "train": " in training",
}


def main_metric(versions: Iterable[ModelVersion | Run]) -> str:
    """The most telling metric that any of these versions or runs has, or the empty string."""
    known = {
        name
        for version in versions
        for name, value in version.metrics.items()
        if isinstance(value, int | float)
    }
    return min(known, key=_rank, default="")


def telling(names: Iterable[str]) -> str:
    """The most telling of these names that is not of the rows trained on, or the empty string."""
    return min((name for name in names if not _is_of_training(name)), key=_rank, default="")


def _rank(name: str) -> tuple[bool, int, int, str]:
    plain = name.lower().split("/")[-1].split(".")[-1]
    suffix = next(
        (place for place, word in enumerate(PREFERRED) if plain == word or plain.endswith(f"_{word}")), 99
    )
    return (_is_of_training(name), suffix, len(name), name)


def word_of(name: str) -> str:
    """How people say a metric's name: ``holdout_roc_auc`` is the ROC AUC on the hold-out."""
    for part, said in PARTS.items():
        if name.startswith(f"{part}_") and name.removeprefix(f"{part}_") in WORDS:
            return f"{WORDS[name.removeprefix(f'{part}_')]}{said}"
    return WORDS.get(name, name)


def is_better_higher(name: str) -> bool:
    """Whether more of a metric is better, as far as its name says."""
    return not name.lower().endswith(LOWER_IS_BETTER)


def _is_of_training(name: str) -> bool:
    """A figure on the rows a model was trained on says little: shown last."""
    return name.lower().startswith(("train", "fit_")) or "_train" in name.lower()


def shown(metrics: dict[str, Any]) -> list[tuple[str, Any, int | None]]:
    """Name, value and its decimals, by name; no decimals for what is counted, None for what is no number."""
    return [(name, value, decimals_of(value)) for name, value in sorted(metrics.items())]


def decimals_of(value: Any) -> int | None:
    if not isinstance(value, int | float):
        return None
    return 0 if float(value).is_integer() and abs(value) > 1 else 5
