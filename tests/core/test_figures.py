"""Numbers say what they are, however small or large."""

import pytest

from core.charts import finite
from core.figures import figure, significant
from core.markdown import plain
from core.templatetags.ui import number, signed


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.76211, 4, "0.7621"),
        (0, 4, "0.0000"),
        (1e-12, 5, "1e−12"),
        (-2.5e-7, 5, "−2.5e−7"),
        (0.3, 0, "0"),
        (12345.6, 0, "12,346"),
        (1e300, 4, "1e300"),
        (-(10**300), 0, "−1e300"),
        (-1.25, 2, "−1.25"),
    ],
)
def test_a_figure_is_never_shown_as_what_it_is_not(value, digits, text):
    assert figure(value, digits) == text
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.77, "0.77"),
        (0.1 + 0.2, "0.3"),
        (0.9999999, "1.00000"),
        (1, "1"),
        (-12.345678, "−12.3457"),
        (1_234_567.891, "1,234,568"),
        (123_456_789_012.5, "123,456,789,012"),
        (1e300, "1e300"),
        (0.00012, "1.2e−4"),
        (-0.0, "0"),
    ],
)
def test_a_fraction_shows_the_digits_that_say_something(value, text):
    assert significant(value) == text


def test_differences_keep_their_sign_and_their_size():
    assert (signed(0.0), signed(-0.02), signed(1e-9), signed(1e300)) == (
        "0.0000",
        "−0.0200",
        "+1e−9",
        "+1e300",
    )


def test_charts_keep_small_values():
    assert finite(1.23456789e-12) == 1.234568e-12
    assert finite(0.123456789) == 0.1234568
    assert finite(float("nan")) is None


def test_a_description_in_a_list_is_its_words():
    assert plain("Benign, from **nuclei** & `x < 1`.\n\n- one") == "Benign, from nuclei & x < 1. one"
    assert plain("<script>alert(1)</script>") == "<script>alert(1)</script>", "text, to be escaped like any"
