"""The sketch of parts, merged in any order, is the sketch of the whole."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.distinct import DistinctCounter, hash_numbers
from measures.frames import CategoricalFrame, TableFrame, numeric_frame
from measures.scan import frame_of, sketch_of, sketch_windows
from measures.sketches import CategoricalSketch, NumericSketch, TableSketch

numbers = st.lists(st.one_of(st.floats(), st.integers(-5, 5).map(float)), max_size=40)
words = st.dictionaries(st.text("abcdefg", min_size=1, max_size=2), st.integers(1, 9), max_size=30)


def numeric(values, frame, nulls=0):
    sketch = NumericSketch(frame)
    sketch.add(np.array(values, np.float64), nulls)
    return sketch


@given(numbers, numbers, numbers, numbers)
def test_numbers_merge_exactly_and_in_any_order(reference, one, two, three):
    frame = numeric_frame(np.array(reference, np.float64))
    whole = numeric(one + two + three, frame, nulls=6).to_json()
    a, b, c = (numeric(part, frame, nulls) for part, nulls in ((one, 1), (two, 2), (three, 3)))
    assert a.merged(b).merged(c).to_json() == whole
    assert a.merged(b.merged(c)).to_json() == whole
    assert c.merged(a).merged(b).to_json() == whole


@given(st.lists(st.text("abc", min_size=1, max_size=2), max_size=6, unique=True), words, words)
def test_categories_merge_exactly_and_in_any_order(known, one, two):
    frame = CategoricalFrame(tuple(known))
    whole, a, b = CategoricalSketch(frame), CategoricalSketch(frame), CategoricalSketch(frame)
    whole.add(one, 1)
    whole.add(two, 2)
    a.add(one, 1)
    b.add(two, 2)
    assert a.merged(b).to_json() == b.merged(a).to_json() == whole.to_json()


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_more_unknown_values_than_are_kept_still_merge_exactly(data):
    values = [f"v{number}" for number in data.draw(st.lists(st.integers(0, 600), min_size=300, max_size=400))]
    cut = data.draw(st.integers(0, len(values)))
    frame = CategoricalFrame(())

    def of(part):
        sketch = CategoricalSketch(frame)
        for value in part:
            sketch.add({value: 1})
        return sketch

    assert of(values[:cut]).merged(of(values[cut:])).to_json() == of(values).to_json()


@given(numbers, numbers)
def test_bins_are_the_direct_counts(reference, current):
    frame = numeric_frame(np.array(reference, np.float64))
    finite = [each for each in current if math.isfinite(each)]
    direct = np.bincount(np.searchsorted(frame.edges, finite, "right"), minlength=len(frame.edges) + 1)
    sketch = numeric(current, frame)
    assert sketch.bins.tolist() == direct.tolist()
    assert sketch.missing == sum(map(math.isnan, current))
    assert sketch.infinite == sum(map(math.isinf, current))
    assert sketch.present == len(finite)
    if finite:
        assert (sketch.low, sketch.high) == (min(finite), max(finite))
    if frame.low is not None:
        outside = [each for each in current if each < frame.low or each > frame.high]
        assert sketch.unexpected == len(outside)


@given(numbers, numbers)
def test_sketches_survive_json_and_bytes(reference, current):
    frame = TableFrame({"x": numeric_frame(np.array(reference, np.float64)), "c": CategoricalFrame(("a",))})
    sketch = TableSketch(frame)
    sketch.columns["x"].add(np.array(current, np.float64), 1)
    sketch.columns["c"].add({"a": 2, 'é"': 3})
    again = TableFrame.from_json(frame.to_json())
    assert again == frame
    assert again.key == frame.key
    assert TableSketch.from_bytes(again, sketch.to_bytes()).to_bytes() == sketch.to_bytes()


@settings(deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(["normal", "lognormal", "pressure", "zeros", "few"]))
def test_quantiles_are_close_to_the_rows_own(seed, shape):
    random = np.random.default_rng(seed)
    values = {
        "normal": random.normal(0, 1, 4000),
        "lognormal": random.lognormal(0, 2, 4000),
        "pressure": random.normal(1017, 8, 4000),
        "zeros": np.where(random.random(4000) < 0.9, 0, random.exponential(1, 4000)),
        "few": random.integers(0, 12, 4000).astype(float),
    }[shape]
    frame = numeric_frame(values)
    shares = [0.01, 0.25, 0.5, 0.9, 0.99]
    for found, exact in zip(
        numeric(values, frame).quantiles(shares), np.quantile(values, shares), strict=True
    ):
        # Whole numbers: a quantile between two of them is either, while numpy interpolates.
        allowed = abs(exact - frame.centre) / 32 + frame.scale / 50 + 1.0 * (shape == "few")
        assert abs(found - exact) <= allowed


def test_sketches_on_different_frames_do_not_merge():
    one, two = (numeric_frame(np.arange(size, dtype=float)) for size in (50, 60))
    with pytest.raises(ValueError, match="different frames"):
        numeric([1.0], one).merged(numeric([1.0], two))
    with pytest.raises(ValueError, match="different frames"):
        CategoricalSketch(CategoricalFrame(("a",))).merged(CategoricalSketch(CategoricalFrame(("b",))))
    with pytest.raises(ValueError, match="another frame"):
        NumericSketch.from_json(one, numeric([1.0], numeric_frame(np.arange(5.0))).to_json())


def test_distinct_values_are_exact_while_few_and_close_when_many():
    counter = DistinctCounter()
    counter.add(hash_numbers(np.array([1.0, 2.0, 2.0, -0.0, 0.0])))
    assert counter.estimate() == 3
    counter.add(hash_numbers(np.random.default_rng(1).random(100_000)))
    assert 70_000 < counter.estimate() < 130_000


def test_a_pass_over_a_table_counts_windows_missing_columns_and_unseen_values():
    reference = pa.table(
        {"x": [1.0, 2.0, 3.0, 4.0], "carrier": ["AA", "UA", "UA", None], "gone": [1, 2, 3, 4]}
    )
    frame = frame_of(reference)
    day = pa.table(
        {
            "day": ["d1", "d1", "d2", None],
            "x": [0.0, None, 9.0, 1.0],
            "carrier": ["AA", "ZZ", None, "AA"],
        }
    )
    windows = sketch_windows(day, frame, "day")
    assert sorted(windows) == ["d1", "d2"]
    first = windows["d1"].columns
    assert (first["x"].rows, first["x"].missing, first["x"].below) == (2, 1, 1)
    assert (first["carrier"].unexpected, first["carrier"].others) == (1, {"ZZ": 1})
    assert (first["gone"].rows, first["gone"].missing) == (2, 2)
    assert windows["d2"].columns["x"].above == 1
    kept = day.filter(pa.compute.is_valid(day["day"]))
    assert windows["d1"].merged(windows["d2"]).to_bytes() == sketch_of(kept, frame).to_bytes()


def test_a_parquet_file_and_its_table_give_the_same_frame_and_sketch(tmp_path):
    random = np.random.default_rng(2)
    table = pa.table(
        {
            "x": random.normal(size=5000),
            "n": random.integers(0, 9, 5000),
            "c": random.choice(["a", "b", "c"], 5000),
            "when": pa.array(random.integers(0, 10**9, 5000), pa.timestamp("s")),
            "is_late": random.random(5000) < 0.2,
        }
    )
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path, row_group_size=700)
    frame = frame_of(path)
    assert frame == frame_of(table)
    assert {name: each.kind for name, each in frame.columns.items()} == {
        "x": "numeric", "n": "numeric", "c": "categorical", "when": "numeric", "is_late": "categorical",
    }  # fmt: skip
    assert sketch_of(path, frame).to_bytes() == sketch_of(table, frame).to_bytes()


def test_a_contracts_range_and_values_replace_the_references_own():
    table = pa.table({"x": [1.0, 5.0], "c": ["a", "b"]})
    frame = frame_of(table, ranges={"x": (0.0, 4.0)}, categories={"c": ["a"]})
    sketch = sketch_of(table, frame).columns
    assert (sketch["x"].unexpected, sketch["c"].unexpected) == (1, 1)
