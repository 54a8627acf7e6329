"""Intervals draw whole days: the same seed gives the same numbers, few days give none."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from measures.bootstrap import compare

METRICS = {
    "roc_auc": roc_auc_score,
    "pr_auc": average_precision_score,
    "brier": brier_score_loss,
    "log_loss": log_loss,
}


def rows(days=30, per_day=40, seed=5, day_effect=0.0):
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), per_day)
    shift = random.normal(0, day_effect, days)[day]
    label = (random.random(day.size) < 1 / (1 + np.exp(1.2 - shift))).astype(int)
    good = np.clip(0.25 + 0.2 * label + random.normal(0, 0.15, day.size), 0, 1).round(2)
    worse = np.clip(good + random.normal(0, 0.2, day.size), 0, 1).round(2)
    return label, good, worse, day


@pytest.mark.parametrize("metric", METRICS)
def test_each_resample_equals_the_metric_of_the_rows_it_drew(metric):
    label, good, worse, day = rows(days=12, per_day=25)
    drawn = np.random.default_rng(3).multinomial(12, np.full(12, 1 / 12), size=200)
    values = []
    for counts in drawn:
        taken = np.repeat(np.arange(day.size), counts[day])
        values.append(
            METRICS[metric](label[taken], good[taken]) - METRICS[metric](label[taken], worse[taken])
        )
    found = compare(
        label, {"candidate": good, "champion": worse}, day, resamples=200, seed=3, metrics=(metric,)
    )
    difference = found.metrics[metric]["difference"]
    assert difference.estimate == pytest.approx(
        METRICS[metric](label, good) - METRICS[metric](label, worse), abs=1e-9
    )
    # 12 blocks: the widened percentiles are the 1.05th and 98.95th instead of the 2.5th and 97.5th.
    assert difference.low == pytest.approx(np.quantile(values, 0.01076), abs=1e-3)
    assert difference.high == pytest.approx(np.quantile(values, 1 - 0.01076), abs=1e-3)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    label, good, worse, day = rows()
    scores = {"candidate": good, "champion": worse}
    one, same, other = (compare(label, scores, day, seed=seed).to_json() for seed in (1, 1, 2))
    assert one == same
    assert one["metrics"] != other["metrics"]


def test_days_that_differ_widen_the_interval():
    independent = rows(days=40, per_day=200, day_effect=0.0)
    dependent = rows(days=40, per_day=200, day_effect=1.5)
    widths = []
    for label, good, _, day in (independent, dependent):
        interval = compare(label, {"model": good}, day, metrics=("brier",)).metrics["brier"]["model"]
        widths.append(interval.high - interval.low)
    assert widths[1] > 2 * widths[0]


def test_paired_differences_are_narrower_than_either_model():
    label, good, worse, day = rows(days=40, per_day=100)
    found = compare(label, {"candidate": good, "champion": np.clip(good + 0.01, 0, 1)}, day).metrics[
        "roc_auc"
    ]
    assert (
        found["difference"].high - found["difference"].low
        < (found["candidate"].high - found["candidate"].low) / 3
    )
    assert worse.size == good.size


def test_few_days_are_inconclusive_and_say_so():
    label, good, worse, day = rows(days=6)
    found = compare(label, {"candidate": good, "champion": worse}, day).metrics["roc_auc"]["difference"]
    assert found.estimate is not None
    assert not found.is_conclusive
    assert "6 blocks" in found.reason


def test_one_class_or_no_rows_have_no_estimate():
    day = np.repeat(np.arange(10), 5)
    found = compare(np.zeros(50), {"model": np.full(50, 0.2)}, day).metrics
    assert found["roc_auc"]["model"].reason == "The rows hold one class only."
    assert found["brier"]["model"].is_conclusive
    empty = compare([], {"model": []}, []).metrics["roc_auc"]["model"]
    assert empty.reason == "There are no rows."


def test_rare_positives_in_one_day_are_inconclusive():
    label = np.zeros(100)
    label[:3] = 1
    found = compare(label, {"model": np.linspace(0, 1, 100)}, np.repeat(np.arange(10), 10)).metrics[
        "roc_auc"
    ]["model"]
    assert "one class" in found.reason


@pytest.mark.parametrize("scores", [{}, {"a": [0.1], "b": [0.1], "c": [0.1]}, {"difference": [0.1]}])
def test_one_or_two_models_are_compared(scores):
    with pytest.raises(ValueError, match="one or two"):
        compare([1], scores, [1])


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(11)
    covered = 0
    for _ in range(120):
        days = random.normal(0.3, 0.1, 15)
        label = (random.random(15 * 20) < np.repeat(np.clip(days, 0, 1), 20)).astype(float)
        found = compare(
            label, {"model": np.zeros(300)}, np.repeat(np.arange(15), 20), metrics=("brier",), resamples=400
        )
        interval = found.metrics["brier"]["model"]
        covered += interval.low <= 0.3 <= interval.high
    assert covered >= 106
