"""PSI from sketches is the PSI of the rows, and Evidently's where its bins are asked for."""

import numpy as np
import pyarrow as pa
import pytest

from measures.drift import drift, psi, psi_of_equal_widths
from measures.scan import frame_of, sketch_of


def evidently_psi(reference, current):
    """Evidently 0.7.23's definition (stattests/psi.py and utils.py), written out for numpy."""
    if reference.dtype.kind in "fi" and np.unique(reference).size > 20:
        edges = np.histogram_bin_edges(np.concatenate([reference, current]), bins="sturges")
        sides = [np.histogram(each, edges)[0] / each.size for each in (reference, current)]
    else:
        keys = np.unique(np.concatenate([reference, current]))
        sides = [np.array([(each == key).mean() for key in keys]) for each in (reference, current)]
    for side in sides:
        least = side[side != 0].min()
        side[side == 0] = least / 10**6 if least <= 0.0001 else 0.0001
    p, q = sides
    return float(((p - q) * np.log(p / q)).sum())


def shapes():
    random = np.random.default_rng(4)
    size = 20_000
    return {
        "same": (random.normal(0, 1, size), random.normal(0, 1, size)),
        "moved": (random.normal(0, 1, size), random.normal(0.5, 1.2, size)),
        "far": (random.normal(10, 3, size), random.normal(18, 3, size)),
        "skewed": (random.lognormal(0, 1, size), random.lognormal(0.2, 1, size)),
        "offset": (random.normal(1017, 8, size), random.normal(1012, 9, size)),
        "zeros": tuple(np.where(random.random(size) < p, 0, random.exponential(2, size)) for p in (0.9, 0.8)),
        "few": (random.integers(0, 12, size), random.integers(2, 12, size)),
        "words": (
            random.choice(list("abcd"), size),
            random.choice(list("abce"), size, p=[0.4, 0.3, 0.25, 0.05]),
        ),
    }


@pytest.fixture(scope="module", params=shapes())
def pair(request):
    reference, current = shapes()[request.param]
    frame = frame_of(pa.table({"x": reference}))
    sketches = [sketch_of(pa.table({"x": each}), frame).columns["x"] for each in (reference, current)]
    return reference, current, frame.columns["x"], *sketches


def test_psi_from_sketches_is_the_psi_of_the_rows(pair):
    reference, current, frame, before, now = pair
    if frame.kind == "categorical":
        keys = list(frame.categories)
        counts = [
            [*((each == key).sum() for key in keys), (~np.isin(each, keys)).sum()]
            for each in (reference, current)
        ]
    else:
        edges = [-np.inf, *frame.edges, np.inf]
        counts = [np.histogram(each, edges)[0] for each in (reference, current)]
    assert drift(before, now).psi == pytest.approx(psi(*counts), abs=1e-12)


def test_psi_on_equal_widths_is_evidentlys_within_the_stated_tolerance(pair):
    reference, current, _, before, now = pair
    assert psi_of_equal_widths(before, now) == pytest.approx(
        evidently_psi(reference, current), rel=0.05, abs=0.01
    )


def test_bins_hold_equal_shares_and_a_heavy_value_its_own():
    random = np.random.default_rng(6)
    smooth = frame_of(pa.table({"x": random.normal(size=10_000)})).columns["x"]
    assert len(smooth.edges) == 9
    zeros = np.where(random.random(10_000) < 0.95, 0.0, random.exponential(1, 10_000))
    rainy = np.where(random.random(10_000) < 0.75, 0.0, random.exponential(1, 10_000))
    frame = frame_of(pa.table({"rain": zeros}))
    before, now = (sketch_of(pa.table({"rain": each}), frame).columns["rain"] for each in (zeros, rainy))
    assert drift(before, before).psi == 0
    assert drift(before, now).psi > 0.25


def test_a_few_rows_are_no_finding():
    random = np.random.default_rng(8)
    frame = frame_of(pa.table({"x": random.normal(size=20_000)}))
    before = sketch_of(pa.table({"x": random.normal(size=20_000)}), frame).columns["x"]
    few = drift(before, sketch_of(pa.table({"x": random.normal(size=60)}), frame).columns["x"])
    many = drift(before, sketch_of(pa.table({"x": random.normal(size=2000)}), frame).columns["x"])
    assert (few.level, many.level) == ("few", "stable")
    moved = sketch_of(pa.table({"x": random.normal(3, 1, size=60)}), frame).columns["x"]
    assert drift(before, moved).level == "alert"
    assert many.psi < 3 * many.noise


def test_noise_is_what_rows_of_one_distribution_show_on_average():
    random = np.random.default_rng(9)
    frame = frame_of(pa.table({"x": random.normal(size=50_000)}))
    before = sketch_of(pa.table({"x": random.normal(size=50_000)}), frame).columns["x"]
    windows = [
        drift(before, sketch_of(pa.table({"x": random.normal(size=500)}), frame).columns["x"])
        for _ in range(200)
    ]
    assert np.mean([each.psi for each in windows]) == pytest.approx(windows[0].noise, rel=0.15)


def test_no_rows_is_no_drift_and_not_a_number_of_it():
    frame = frame_of(pa.table({"x": [1.0, 2.0]}))
    before = sketch_of(pa.table({"x": [1.0, 2.0]}), frame).columns["x"]
    empty = sketch_of(pa.table({"x": pa.array([None, None], pa.float64())}), frame).columns["x"]
    assert (drift(before, empty).psi, drift(before, empty).level) == (None, "none")


def test_different_frames_are_not_compared():
    one, two = (frame_of(pa.table({"x": np.arange(size, dtype=float)})) for size in (40, 50))
    rows = pa.table({"x": [1.0]})
    with pytest.raises(ValueError, match="different frames"):
        drift(sketch_of(rows, one).columns["x"], sketch_of(rows, two).columns["x"])
    with pytest.raises(ValueError, match="same bins"):
        psi([1, 2], [1, 2, 3])
