"""Where there is room for one number, the most telling one is shown."""

import pytest

from registry.metrics import better_of, main_metric, shown, word_of
from registry.models import ModelVersion


@pytest.mark.parametrize(
    ("metrics", "chosen"),
    [
        ({"training_roc_auc": 0.9, "holdout_roc_auc": 0.7, "holdout_brier": 0.1}, "holdout_roc_auc"),
        ({"accuracy": 0.9, "roc_auc": 0.7}, "roc_auc"),
        ({"train_auc": 0.9, "loss": 0.2}, "loss"),
        ({"roc_auc": "nan", "accuracy": 0.9}, "accuracy"),
        ({}, ""),
    ],
)
def test_the_number_on_unseen_rows_wins(metrics, chosen):
    assert main_metric([ModelVersion(metrics=metrics)]) == chosen


def test_metrics_are_said_as_people_say_them():
    assert word_of("holdout_roc_auc") == "ROC AUC on the hold-out"
    assert word_of("training_pr_auc") == "PR AUC in training"
    assert word_of("own_metric") == "own_metric"


@pytest.mark.parametrize(
    ("better", "names"),
    [
        ("lower", ("val/loss", "brier_score", "error_rate", "perplexity", "latency_ms", "wer")),
        ("higher", ("holdout_roc_auc", "val.accuracy", "f1_macro", "training_precision_score", "acc")),
        ("", ("own_metric", "rows", "score", "power", "bmi", "lr")),
    ],
)
def test_the_better_end_is_told_only_of_names_that_say_it(better, names):
    assert {name: better_of(name) for name in names} == dict.fromkeys(names, better)


def test_values_are_said_in_words_where_they_are_no_numbers():
    assert shown({"auc": 0.5, "a": "nan", "b": "-inf", "rows": 3000}) == [
        ("a", "not a number"),
        ("AUC", "0.5"),
        ("b", "minus infinite"),
        ("Rows", "3,000"),
    ]
