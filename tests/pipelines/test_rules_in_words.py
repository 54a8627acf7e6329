"""Contracts as people read them: each rule a sentence, and a proposal's beside the current one's."""

import pytest

from pipelines.rule_words import column_sentence, sentences_of, side_by_side


@pytest.mark.parametrize(
    "rules, sentence",
    [
        ({"type": "string"}, "Text; none may be missing."),
        (
            {"type": "number", "min": -30.0, "max": 120, "max_null_share": 0.05},
            "A number from −30 to 120; at most 5 % may be missing.",
        ),
        ({"type": "number", "max_null_share": 1.0}, "A number; any may be missing."),
        ({"type": "integer", "min": 1000}, "A whole number, at least 1,000; none may be missing."),
        (
            {"type": "string", "allowed": ["EWR", "JFK"]},
            "Text, one of EWR, JFK; none may be missing.",
        ),
        (
            {"type": "string", "allowed": list("abcdefgh")},
            "Text, one of a, b, c, d, e, f and 2 more; none may be missing.",
        ),
    ],
)
def test_a_column_is_one_sentence(rules, sentence):
    assert column_sentence(rules) == sentence


def test_the_table_as_a_whole_is_said_too():
    document = {"rows": {"min": 10}, "extra_columns": "forbid", "unique": ["id", ["day", "carrier"]]}
    assert sentences_of(document) == {
        "Rows": "The number of rows is at least 10.",
        "Other columns": "No other column may be there.",
        "Key id": "Each id occurs once.",
        "Key day, carrier": "Each day with carrier occurs once.",
    }


def test_what_differs_stands_first_and_what_is_gone_is_named():
    before = {"columns": {"id": {"type": "string"}, "old": {"type": "string"}}}
    after = {"columns": {"id": {"type": "string"}, "temp": {"type": "number"}}}
    rows = side_by_side(before, after)
    assert [(row.subject, bool(row.before), bool(row.after)) for row in rows] == [
        ("temp", False, True),
        ("old", True, False),
        ("id", True, True),
    ]
