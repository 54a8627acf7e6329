"""What the gateway accepts, and how it says no."""

import json
import math

import pytest

from deployments.serving.payload import MOST_ROWS, parse
from deployments.serving.refusal import Refusal
from deployments.serving.schema import Schema, schema_from

SIGNATURE = {
    "inputs": json.dumps(
        [
            {"type": "long", "name": "hour", "required": True},
            {"type": "string", "name": "carrier", "required": True},
            {"type": "double", "name": "distance", "required": True},
            {"type": "double", "name": "temp", "required": False},
        ]
    )
}
NAMES = ["hour", "carrier", "distance", "temp"]
GOOD = {"hour": [5, 6], "carrier": ["AA", "UA"], "distance": [1.5, 2.0], "temp": [None, 3.0]}


@pytest.fixture
def schema() -> Schema:
    return schema_from(SIGNATURE)


def check(schema, body, content_type="application/json"):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return schema.check(parse(raw, content_type, schema.names))


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": NAMES, "data": [[5, "AA", 1.5, None], [6, "UA", 2, 3.0]]}},
        {
            "dataframe_split": {
                "columns": NAMES,
                "data": [[5, "AA", 1.5, None], [6, "UA", 2, 3.0]],
                "index": [0, 1],
            }
        },
        {
            "dataframe_records": [
                {"hour": 5, "carrier": "AA", "distance": 1.5},
                {"hour": 6.0, "carrier": "UA", "distance": 2, "temp": 3, "unknown": "ignored"},
            ]
        },
        {
            "instances": [
                {"hour": 5, "carrier": "AA", "distance": 1.5},
                {"hour": 6, "carrier": "UA", "distance": 2, "temp": 3},
            ]
        },
        {"instances": [[5, "AA", 1.5, None], [6, "UA", 2.0, 3.0]]},
        {"inputs": GOOD},
        {"inputs": [[5, "AA", 1.5, None], [6, "UA", 2.0, 3.0]]},
    ],
)
def test_every_form_of_the_protocol_means_the_same(schema, body):
    assert check(schema, body).columns == GOOD


def test_csv_is_read_by_the_signature(schema):
    raw = b"hour,carrier,distance,temp\n5,AA,1.5,\n6,UA,2,3\n"
    assert check(schema, raw, "text/csv; charset=utf-8").columns == GOOD


BAD = [
    (b"", "malformed", None),
    (b"{", "malformed", None),
    (b"[1]", "malformed", None),
    (b"\xff\xfe", "malformed", None),
    (b"[" * 100_000, "malformed", None),
    (b'{"inputs": {"hour": [' + b"9" * 5000 + b"]}}", "malformed", None),
    ({}, "malformed", None),
    ({"inputs": GOOD, "instances": []}, "malformed", None),
    ({"inputs": GOOD, "extra": 1}, "malformed", None),
    ({"inputs": GOOD, "params": {"x": 1}}, "unexpected_params", "params"),
    ({"dataframe_records": []}, "empty", None),
    ({"dataframe_split": {"columns": NAMES, "data": [[1, 2]]}}, "ragged", None),
    ({"dataframe_split": {"columns": ["hour", "hour"], "data": [[1, 2]]}}, "duplicate_column", "hour"),
    ({"dataframe_split": {"data": []}}, "malformed", None),
    ({"dataframe_records": [1]}, "malformed", None),
    ({"inputs": {**GOOD, "temp": [1.0]}}, "ragged", None),
    (b'{"inputs": {"hour": [1], "hour": [2]}}', "duplicate_name", None),
    (b'{"inputs": {"hour": [NaN]}}', "not_finite", "hour"),
    (b'{"inputs": {"surprise": [1, -Infinity]}}', "not_finite", "surprise"),
    (b'{"inputs": [[1, "AA", 2, 3], [1, "AA", NaN, 3]]}', "not_finite", "distance"),
    (b'{"instances": [{"hour": 1}, {"hour": Infinity}]}', "not_finite", "hour"),
    (b'{"dataframe_split": {"columns": ["x", "temp"], "data": [[1, NaN]]}}', "not_finite", "temp"),
    (b'{"dataframe_split": {"columns": [NaN], "data": [[1]]}}', "not_finite", "dataframe_split.columns[0]"),
    (b'{"params": NaN}', "not_finite", "params"),
    (b"NaN", "not_finite", None),
    (b'{"inputs": NaN, "deep": ' + b"[" * 500 + b"]" * 500 + b"}", "not_finite", "inputs"),
    ({"inputs": {name: GOOD[name] for name in NAMES if name != "carrier"}}, "missing_column", "carrier"),
    ({"inputs": {**GOOD, "carrier": ["AA", None]}}, "missing_value", "carrier"),
    ({"inputs": {**GOOD, "hour": ["5", 6]}}, "wrong_type", "hour"),
    ({"inputs": {**GOOD, "hour": [True, 6]}}, "wrong_type", "hour"),
    ({"inputs": {**GOOD, "hour": [5.5, 6]}}, "wrong_type", "hour"),
    ({"inputs": {**GOOD, "hour": [2**63, 6]}}, "wrong_type", "hour"),
    ({"inputs": {**GOOD, "carrier": [1, "UA"]}}, "wrong_type", "carrier"),
    ({"inputs": {**GOOD, "carrier": ["A\x00", "UA"]}}, "wrong_type", "carrier"),
    (
        b'{"inputs": {"hour": [1], "carrier": ["\\ud800"], "distance": [1], "temp": [1]}}',
        "wrong_type",
        "carrier",
    ),
    (
        b'{"inputs": {"hour": [1], "carrier": ["AA"], "distance": [1e400], "temp": [1]}}',
        "wrong_type",
        "distance",
    ),
    ({"inputs": {**GOOD, "distance": [[1], 2]}}, "wrong_type", "distance"),
    ({"inputs": {**GOOD, "distance": [10**400, 2]}}, "wrong_type", "distance"),
]


@pytest.mark.parametrize(("body", "code", "column"), BAD)
def test_bad_input_is_named_and_refused(schema, body, code, column):
    with pytest.raises(Refusal) as refused:
        check(schema, body)
    refusal = refused.value
    assert refusal.status == 400
    codes = {refusal.code} | {entry["code"] for entry in refusal.errors}
    assert code in codes
    if column:
        assert column in {entry["column"] for entry in refusal.errors}
    json.loads(refusal.document("/x", "r"))


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b"x", "application/octet-stream", 415),
        (b"{}", "application/json; charset=latin-1", 415),
        (json.dumps({"instances": [[1, "AA", 1, 1]] * (MOST_ROWS + 1)}).encode(), "application/json", 413),
        (b"hour,carrier\n1", "text/csv", 400),
        (b"hour,carrier,distance\nx,AA,1\n", "text/csv", 400),
        (b'"hour\n', "text/csv", 400),
        (b"\xff", "text/csv", 400),
        (b"", "text/csv", 400),
        (b"hour,carrier,distance\n1,AA,inf\n", "text/csv", 400),
        (b"hour,carrier,distance\n1,AA,nan\n", "text/csv", 400),
    ],
)
def test_bad_bodies_of_other_kinds(schema, raw, content_type, status):
    with pytest.raises(Refusal) as refused:
        check(schema, raw, content_type)
    assert refused.value.status == status


def test_an_unknown_category_is_an_issue_and_not_a_refusal():
    schema = schema_from(SIGNATURE, known={"carrier": ["AA"]})
    checked = check(schema, {"inputs": GOOD})
    assert checked.issues == [{"column": "carrier", "code": "unknown_category", "values": ["UA"], "rows": 1}]


def test_an_unknown_category_of_a_closed_column_is_refused():
    schema = schema_from(SIGNATURE, known={"carrier": ["AA"]}, closed=frozenset({"carrier"}))
    with pytest.raises(Refusal, match="UA"):
        check(schema, {"inputs": GOOD})


def test_every_wrong_column_is_named_at_once(schema):
    with pytest.raises(Refusal) as refused:
        check(schema, {"inputs": {"hour": ["x"], "distance": [math.pi], "temp": ["y"]}})
    assert [entry["column"] for entry in refused.value.errors] == ["hour", "carrier", "temp"]


def test_a_model_without_column_names_takes_rows_of_numbers():
    schema = schema_from(
        {"inputs": [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]}
    )
    assert check(schema, {"inputs": [[1, 2.5], [3, 4]]}).columns == {"0": [1.0, 3.0], "1": [2.5, 4.0]}
    with pytest.raises(Refusal):
        check(schema, {"inputs": [["x", 1]]})
