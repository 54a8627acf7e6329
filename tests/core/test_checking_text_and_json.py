"""What people send is checked before it reaches the database."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from core.canonical import _normalised, canonical_json
from core.errors import Invalid
from core.text import checked_json, checked_text, storable_text


@pytest.mark.parametrize(
    "name",
    [
        "bell\x07",
        "null\x00",
        "right-to-left \u202e",
        "zero\u200bwidth",
        "lone \ud800",
        "byte order \ufeff",
        "line\nbreak",
    ],
)
def test_names_refuse_characters_that_deceive(name):
    with pytest.raises(Invalid) as refused:
        checked_text(name, "name", 100)
    assert refused.value.field == "name"


def test_names_are_normalised_and_measured():
    assert checked_text("Cafe\u0301", "name", 100) == "Café"
    with pytest.raises(Invalid, match="at most 3"):
        checked_text("four", "name", 3)
    with pytest.raises(Invalid, match="blank"):
        checked_text("   ", "name", 10, min_length=1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\x00", "\ud800", 2**64])
def test_json_that_postgresql_refuses_is_named_by_its_path(value):
    with pytest.raises(Invalid) as refused:
        checked_json({"rows": [{"score": value}]}, "body")
    assert refused.value.field == "body.rows[0].score"


def test_deep_json_is_refused_before_the_stack_is():
    nested: list = []
    for _ in range(100):
        nested = [nested]
    with pytest.raises(Invalid, match="deeper"):
        checked_json(nested, "body")


@given(st.text())
def test_storable_text_never_raises_anything_but_invalid(text):
    try:
        assert storable_text(text, "value", 1000) == text
    except Invalid:
        assert "\x00" in text or len(text) > 1000


@given(st.dictionaries(st.text(alphabet=st.characters(codec="utf-8")), st.integers()))
def test_canonical_json_does_not_depend_on_order(value):
    backwards = dict(reversed(list(value.items())))
    assert canonical_json(value) == canonical_json(backwards)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(VALUES)
def test_the_quick_way_and_the_library_write_the_same_canonical_bytes(value):
    try:
        quick = canonical_json(value)
    except Invalid:
        with pytest.raises((rfc8785.CanonicalizationError, UnicodeError)):
            rfc8785.dumps(_normalised(value))
    else:
        assert quick.encode() == rfc8785.dumps(_normalised(value))
