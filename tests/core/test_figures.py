"""Numbers say what they are, however small or large."""

import pytest

from core.charts import finite
from core.figures import PSI_LINES, beside_lines, figure, measured, significant
from core.markdown import plain
from core.templatetags.ui import brief, in_column, number, percent, signed
from measures.drift import ALERT, WARN


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
        "0",
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


@pytest.mark.parametrize(
    ("value", "alone", "column"),
    [
        (0.91, "0.91", "0.9100"),
        (0.88884, "0.8888", "0.8888"),
        (0.0782, "0.0782", "0.07820"),
        (0.0012345, "0.001234", "0.001234"),
        (182.44, "182.4", "182.4"),
        (3.1, "3.1", "3.100"),
        (1232567.891, "1,232,568", "1,232,568"),
        (60.0, "60", "60.00"),
        (-0.5, "−0.5", "−0.5000"),
        (1e-12, "1e−12", "1e−12"),
        (0.0000012, "1.2e−6", "1.2e−6"),
        (0, "0", "0.0000"),
    ],
)
def test_a_measurement_says_four_digits_and_no_more(value, alone, column):
    assert measured(value) == alone
    assert in_column(value) == column
    assert in_column(None) == in_column(float("nan")) == "none"


def test_a_number_beside_a_verdict_lies_on_its_side_of_the_line():
    assert PSI_LINES == (WARN, ALERT)
    said = [beside_lines(value, PSI_LINES) for value in (0.0986, 0.1002, 0.09997, 0.2499, 0.3)]
    assert said == ["0.099", "0.10", "0.09997", "0.2499", "0.30"]


def test_shares_and_medians_carry_no_idle_digits():
    assert (percent(0.05, 2), percent(0.125, 2), percent(0, 2)) == ("5\u00a0%", "12.50\u00a0%", "0\u00a0%")
    assert (brief(23.015625), brief(2013), brief(1234567.0)) == ("23.02", "2013", "1,234,567")
