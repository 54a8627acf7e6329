"""Where there is room for one number, the most telling one is shown."""

import pytest

from registry.metrics import main_metric, word_of
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
