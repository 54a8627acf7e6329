"""Which of a run's numbers is shown where there is room for one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from core.figures import significant
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
LOWER, HIGHER = "lower", "higher"
# How names end, and whole last words, of which less or more is better; of any other nothing is known.
LOWER_ENDINGS = (
    "rmse",
    "mae",
    "mse",
    "rmsle",
    "loss",
    "brier",
    "error",
    "mape",
    "latency",
    "perplexity",
    "cost",
)
LOWER_WORDS = {"wer", "cer", "ece", "duration", "seconds"}
HIGHER_ENDINGS = ("auc", "average_precision", "accuracy", "precision", "recall", "specificity", "sensitivity")
HIGHER_WORDS = {
    "acc",
    "f1",
    "r2",
    "map",
    "ndcg",
    "mrr",
    "bleu",
    "rouge",
    "iou",
    "mcc",
    "kappa",
    "gini",
    "throughput",
}
# What is said of a metric behind its name.
QUALIFIED = re.compile(r"(_(score|rate|ms|macro|micro|weighted))+$")
NO_NUMBER = {"nan": "not a number", "inf": "infinite", "-inf": "minus infinite"}
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


def better_of(name: str) -> str:
    """Whether more or less of a metric is better, as far as its name says; empty where it does not."""
    plain = QUALIFIED.sub("", name.lower())
    last = re.split(r"[^a-z0-9]+", plain)[-1]
    if plain.endswith(LOWER_ENDINGS) or last in LOWER_WORDS:
        return LOWER
    return HIGHER if plain.endswith(HIGHER_ENDINGS) or last in HIGHER_WORDS else ""


def is_better_higher(name: str) -> bool:
    """For where one must be taken: more is better of a metric whose name says nothing."""
    return better_of(name) != LOWER


def _is_of_training(name: str) -> bool:
    """A figure on the rows a model was trained on says little: shown last."""
    return name.lower().startswith(("train", "fit_")) or "_train" in name.lower()


def shown(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """How people say a metric and its value, by name."""
    return [(word_of(name), value_in_words(value)) for name, value in sorted(metrics.items())]


def value_in_words(value: Any) -> str:
    """A logged value, the same on every page; one that is no number is a word of it."""
    if value is None:
        return NO_NUMBER["nan"]
    if isinstance(value, int | float) and math.isfinite(value):
        return significant(value)
    return NO_NUMBER.get(str(value).lower(), str(value))
