"""What a list of events says below each sentence."""

import pytest

from workspace.audit_details import details


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {
                "extra": {"alias": "best", "version": 2},
                "before": {"version": 1, "digest": "a"},
                "after": {"version": 2, "digest": "b"},
            },
            "alias best · version 2 (was 1)",
        ),
        (
            {"extra": {"tag": "team"}, "before": {"value": None}, "after": {"value": "ops\n now"}},
            "tag team · value ops now",
        ),
        ({"before": {"name": "a"}, "after": {"name": "b"}}, "name b (was a)"),
        ({"extra": {"tag": "team"}, "before": {"value": "ops"}}, "tag team · value was ops"),
        (
            {"extra": {"method": "POST", "path": "/models/a/delete/", "named": {"model": "a"}}},
            "POST /models/a/delete/",
        ),
        ({"after": {"metrics": {"auc": 1}, "tags": ["a"], "is_new": True, "empty": ""}}, ""),
        ({"after": {"description": "x" * 100}}, f"description {'x' * 59}…"),
        ({"after": {"owner": "01a21e53-17ab-7542-8a98-145b7ff15d4c", "tier": "low"}}, "tier low"),
        ({}, ""),
    ],
)
def test_the_facts_of_an_event(content, said):
    assert details(content) == said
