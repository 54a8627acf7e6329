"""Tables that come in batches are described as if they had come whole, in memory that stays small."""

import numpy
import polars
import pytest

from pipelines.compute.checking import Checking, check
from pipelines.compute.profile import Profile, profile
from pipelines.compute.sketching import COUNTED_TEXTS
from pipelines.contracts import parse
from tests.pipelines.conftest import CONTRACT

ROWS = 200_000


@pytest.fixture(scope="module")
def large():
    random = numpy.random.default_rng(3)
    often = random.random(ROWS) < 0.2
    return polars.DataFrame(
        {
            "id": [f"f{n}" for n in range(ROWS)],
            "temp": random.gamma(2.0, 10.0, ROWS),
            "code": polars.Series(often).replace_strict(
                {True: "BOS", False: None}, return_dtype=polars.String
            ),
            "hour": random.integers(0, 24, ROWS),
        }
    ).with_columns(code=polars.coalesce("code", "id"))


def test_batches_and_the_whole_say_the_same(large):
    small = large.head(5000)
    batched = Profile()
    for part in small.iter_slices(700):
        batched.add(part)
    one, other = profile(small), batched.told()
    for column in (one, other):
        for about in column["columns"]:
            for name in ("mean", "std"):
                about[name] = round(about.get(name, 0), 9)
    assert one == other


def test_beyond_the_exact_limits_the_sketches_are_near(large):
    seen = {each["name"]: each for each in profile(large.iter_slices(1 << 16))["columns"]}
    temps = numpy.sort(large["temp"].to_numpy())
    for share, value in seen["temp"]["quantiles"].items():
        assert numpy.searchsorted(temps, value) / ROWS == pytest.approx(float(share), abs=0.002)
    exact = numpy.histogram(temps, seen["temp"]["histogram"]["edges"])[0]
    assert sum(seen["temp"]["histogram"]["counts"]) == ROWS
    assert numpy.abs(exact - seen["temp"]["histogram"]["counts"]).max() < 0.003 * ROWS
    assert seen["temp"]["mean"] == pytest.approx(temps.mean(), rel=1e-12)
    assert seen["temp"]["std"] == pytest.approx(temps.std(), rel=1e-9)
    assert seen["id"]["is_estimate"] and seen["id"]["distinct"] == pytest.approx(ROWS, rel=0.02)
    assert (seen["hour"]["distinct"], len(seen["hour"]["top"])) == (24, 20) and "is_estimate" not in seen[
        "hour"
    ]
    assert seen["code"]["distinct"] > COUNTED_TEXTS
    top = seen["code"]["top"][0]
    assert top["value"] == "BOS" and top["rows"] == pytest.approx((large["code"] == "BOS").sum(), rel=0.05)


def test_what_is_kept_of_a_column_does_not_grow_with_its_rows(large):
    seen = Profile()
    for _ in range(3):
        for part in large.iter_slices(1 << 16):
            seen.add(part)
    column = seen.columns["temp"]
    assert column.numbers.parts == [] and column.numbers.sketch.num_retained < 30_000
    assert seen.columns["id"].distinct.hashes.size == 1 << 16
    assert seen.columns["code"].frequent.counts == {}


def test_a_contract_is_checked_in_batches_with_every_row_counted(large):
    document = {
        **CONTRACT,
        "rows": {"min": ROWS + 1},
        "columns": {
            "id": {"type": "string"},
            "hour": {"type": "integer", "min": 1, "max": 22},
            "code": {"type": "string", "allowed": ["BOS"]},
        },
        "unique": [["id"], ["hour"], ["code", "hour"]],
    }
    whole = check(lambda: [large], parse(document))
    checking = Checking(parse(document))
    for part in large.iter_slices(30_000):
        checking.add(part)
    batched = checking.results(lambda: large.iter_slices(30_000))
    assert [(each["rule"], each["rows"], each["status"]) for each in batched] == [
        (each["rule"], each["rows"], each["status"]) for each in whole
    ]
    rows = {(each["rule"], each["column"]): each["rows"] for each in batched}
    assert rows["range", "hour"] == int(((large["hour"] < 1) | (large["hour"] > 22)).sum())
    assert rows["allowed", "code"] == int((large["code"] != "BOS").sum())
    assert rows["unique", "id"] == 0 and rows["unique", "hour"] == ROWS - 24
    assert rows["unique", "code, hour"] == ROWS - large.select("code", "hour").n_unique()
