"""The filter language: what is read, what is refused, and that nothing breaks it."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import Invalid
from mlflow_api.filters import Comparison, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  ", []),
        ("name = 'a'", [Comparison("attribute", "name", "=", "a")]),
        ("name='a'", [Comparison("attribute", "name", "=", "a")]),
        ('name = "a"', [Comparison("attribute", "name", "=", "a")]),
        ("attribute.name = 'a'", [Comparison("attribute", "name", "=", "a")]),
        ("`name` != 'it''s'", [Comparison("attribute", "name", "!=", "it's")]),
        ("name like 'a%' and tags.k ILIKE '%b'", [Comparison("attribute", "name", "LIKE", "a%"), Comparison("tag", "k", "ILIKE", "%b")]),
        ("tag.`a b` = 'c'", [Comparison("tag", "a b", "=", "c")]),
        ('tags."a.b" = \'c\'', [Comparison("tag", "a.b", "=", "c")]),
        ("tags.a.b-c = 'd'", [Comparison("tag", "a.b-c", "=", "d")]),
        ("tags.1a = 'd'", [Comparison("tag", "1a", "=", "d")]),
        ("version_number >= 3", [Comparison("attribute", "version_number", ">=", 3)]),
        ("run_id IN ('a', 'b')", [Comparison("attribute", "run_id", "IN", ("a", "b"))]),
        ("name not in ('a')", [Comparison("attribute", "name", "NOT IN", ("a",))]),
        ("name = 'a AND b' AND name = ';'", [Comparison("attribute", "name", "=", "a AND b"), Comparison("attribute", "name", "=", ";")]),
        ("name = 'back\\slash'", [Comparison("attribute", "name", "=", "back\\slash")]),
    ],
)  # fmt: skip
def test_filters_that_are_read(text, expected):
    assert parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "name", "name =", "= 'a'", "name == 'a'", "name = a", "name = 'a", "name = 'a' OR name = 'b'", "name = 'a';", "name = 'a' name = 'b'",
        "name = 'a' AND", "AND name = 'a'", "(name = 'a')", "NOT name = 'a'", "name NOT LIKE 'a'", "name IN 'a'", "name IN ()", "name IN ('a'",
        "name IN ('a',)", "name IN (1)", "run.id = 'a'", "tags. = 'a'", "tags.`` = 'a'", "name = 1.5", "name <> 'a'", "name = 'a' -- x", "name = /*x*/ 'a'",
        "1 = 1", "name = ('a')", "name = 'a' UNION SELECT 1", "name ~ 'a'", "name = 'a' AND AND name = 'b'", "a" * 20_001,
    ],
)  # fmt: skip
def test_filters_that_are_refused_with_a_sentence(text):
    with pytest.raises(Invalid, match=r"^The filter ") as refused:
        parse(text)
    assert refused.value.field == "filter"


def test_there_are_limits():
    with pytest.raises(Invalid, match="more than 50 comparisons"):
        parse(" AND ".join(["name = 'a'"] * 51))
    with pytest.raises(Invalid, match="list of more than 1000"):
        parse("name IN (" + ", ".join(["'a'"] * 1001) + ")")


@given(st.text(alphabet=st.characters(codec=None), max_size=200))
@example("'" * 9999)
@example("`" * 9999)
@example("(" * 9999)
@example("name='" + "''" * 5000)
def test_any_text_is_read_or_refused(text):
    with suppress(Invalid):
        parse(text)


KEYS = st.sampled_from(
    [
        "name",
        "run_id",
        "tags.k",
        "`name`",
        "tag.`a b`",
        "version_number",
        "source_path",
        "nope",
        "attribute.name",
    ]
)
OPERATORS = st.sampled_from(["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN", "<", ">=", "==", "OR"])
VALUES = st.one_of(
    st.text(max_size=10).map(lambda text: f"'{text}'"),
    st.integers().map(str),
    st.sampled_from(["('a','b')", "'%'", "'_'", "'\\'", "'\\%'"]),
)
FILTERS = st.lists(st.tuples(KEYS, OPERATORS, VALUES).map(" ".join), max_size=4).map(" AND ".join)


@pytest.mark.django_db
@given(FILTERS)
@example("version_number = -1")
@example("version_number < 0")
def test_any_filter_becomes_a_query_that_runs_or_a_refusal(text):
    from core.actors import Actor
    from mlflow_api.searching import search
    from mlflow_api.surfaces import MODELS, VERSIONS

    for surface in (MODELS, VERSIONS):
        with suppress(Invalid):
            search(surface, Actor.system(), text=text, order_by=[], token="", size=10)
