"""Which of a run's numbers is shown where there is room for one."""

from __future__ import annotations

import math
from collections.abc import Iterable

from core.figures import measured
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
NO_NUMBER = {"nan": "not a number", "inf": "infinite", "-inf": "minus infinite"}
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

    def rank(name: str) -> tuple[bool, int, int, str]:
        plain = name.lower().split("/")[-1].split(".")[-1]
        suffix = next(
            (place for place, word in enumerate(PREFERRED) if plain == word or plain.endswith(f"_{word}")), 99
        )
        return (_is_of_training(name), suffix, len(name), name)

    return min(known, key=rank, default="")


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


def value_in_words(value: float | str | None) -> str:
    """A logged value by itself; what is no number says so."""
    if value is None:
        return NO_NUMBER["nan"]
    if isinstance(value, str):
        return NO_NUMBER.get(value.lower(), value)
    return measured(value) if math.isfinite(value) else NO_NUMBER[str(value)]
