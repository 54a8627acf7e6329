"""Metrics are scikit-learn's, and say nothing where the rows say nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from measures.binary import binary_metrics

rows = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 20).map(lambda tick: tick / 20)), min_size=2, max_size=60
).filter(lambda each: {label for label, _ in each} == {0, 1})


@given(rows)
def test_every_metric_equals_scikit_learns_also_with_ties(rows):
    labels, scores = (np.array(each) for each in zip(*rows, strict=True))
    found = binary_metrics(labels, scores)
    assert found["roc_auc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-9)
    assert found["pr_auc"] == pytest.approx(average_precision_score(labels, scores), abs=1e-9)
    assert found["brier"] == pytest.approx(brier_score_loss(labels, scores), abs=1e-9)
    assert found["log_loss"] == pytest.approx(log_loss(labels, scores, labels=[0, 1]), abs=1e-9)


def test_rows_of_one_class_have_no_ranking_metric_but_a_brier_score():
    found = binary_metrics([0, 0, 0], [0.1, 0.2, 0.3])
    assert (found["roc_auc"], found["pr_auc"]) == (None, None)
    assert found["brier"] == pytest.approx(0.14 / 3)
    assert binary_metrics([], []) == {"roc_auc": None, "pr_auc": None, "brier": None, "log_loss": None}


@pytest.mark.parametrize(
    ("labels", "scores"),
    [
        ([0, 2], [0.1, 0.2]),
        ([0, 1], [0.1, 1.2]),
        ([0, 1], [0.1, float("nan")]),
        ([0, 1], [0.5]),
        ([0, float("nan")], [0, 1]),
    ],
)
def test_rows_that_are_no_probabilities_and_labels_are_refused(labels, scores):
    with pytest.raises(ValueError, match=r"labels|scores"):
        binary_metrics(labels, scores)
