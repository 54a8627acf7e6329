"""Latency histograms add up; rules fire and fall silent after windows in a row."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.hysteresis import Change, Hysteresis, State, Verdict
from measures.latency import LatencyHistogram

durations = st.lists(st.floats(0.002, 1e6), max_size=60)


@given(durations, durations, durations)
def test_histograms_merge_in_any_order(one, two, three):
    whole = LatencyHistogram.of(one + two + three).to_json()
    a, b, c = map(LatencyHistogram.of, (one, two, three))
    assert a.merged(b).merged(c).to_json() == whole
    assert LatencyHistogram.all_of([c, a, b]).to_json() == whole
    assert LatencyHistogram.from_json(whole).to_json() == whole


@given(durations.filter(bool), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_quantiles_are_within_the_stated_error(durations, share):
    exact = np.quantile(durations, share, method="inverted_cdf")
    assert LatencyHistogram.of(durations).quantile(share) == pytest.approx(exact, rel=0.0111)


def test_an_empty_histogram_has_no_quantile_and_nonsense_is_refused():
    assert LatencyHistogram().quantile(0.95) is None
    assert LatencyHistogram().share_within(10) is None
    assert LatencyHistogram.of([1, 10, 100, 1000]).share_within(50) == 0.5
    for wrong in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="latency"):
            LatencyHistogram().add(wrong)


B, F, U = Verdict.BREACH, Verdict.FINE, Verdict.UNKNOWN


def test_a_rule_fires_after_windows_in_a_row_and_clears_the_same_way():
    rule = Hysteresis(fire_after=2, clear_after=3)
    state, changes = rule.replay([B, F, B, B, B, F, F, B, F, F, F, F])
    assert [number for number, change in enumerate(changes) if change == Change.FIRED] == [3]
    assert [number for number, change in enumerate(changes) if change == Change.CLEARED] == [10]
    assert state == State()


def test_a_window_without_a_verdict_neither_counts_nor_breaks_a_run():
    state, changes = Hysteresis(fire_after=2, clear_after=2).replay([B, U, U, B, F, U, F])
    assert changes[3] == Change.FIRED
    assert changes[6] == Change.CLEARED
    assert not state.is_firing


@given(st.lists(st.sampled_from([B, F, U]), max_size=30), st.integers(1, 4), st.integers(1, 4))
def test_fired_and_cleared_alternate_and_replay_is_step_by_step(verdicts, fire_after, clear_after):
    rule = Hysteresis(fire_after, clear_after)
    state, changes = rule.replay(verdicts)
    told = [change for change in changes if change != Change.NONE]
    assert told == [Change.FIRED, Change.CLEARED] * (len(told) // 2) + [Change.FIRED] * (len(told) % 2)
    assert state.is_firing == (len(told) % 2 == 1)


def test_a_rule_needs_at_least_one_window():
    with pytest.raises(ValueError, match="at least 1"):
        Hysteresis(fire_after=0)
