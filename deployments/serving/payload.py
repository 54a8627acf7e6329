"""From the bytes of MLflow's scoring protocol to columns, or a refusal that says what is wrong."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any, NoReturn

from deployments.serving.not_finite import Constant, place_of_constant
from deployments.serving.refusal import Refusal, bad_input

FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
MOST_ROWS = 10_000
MOST_COLUMNS = 2_000
PLACES = "one of dataframe_split, dataframe_records, instances, inputs"


@dataclass(frozen=True)
class Frame:
    """Columns of equal length. ``is_text`` when every value came as text (CSV)."""

    columns: dict[str, list[Any]]
    rows: int
    is_text: bool = False


def parse(body: bytes, content_type: str, names: list[str]) -> Frame:
    """Read a request body; ``names`` are the signature's columns, for rows that came without names."""
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower()
    if "charset" in parameters.lower() and "utf-8" not in parameters.lower():
        raise Refusal(415, "unsupported_media_type", "The charset must be utf-8.")
    if kind in {"", "application/json"}:
        frame = _from_json(_document(body, names), names)
    elif kind == "text/csv":
        frame = _from_csv(body)
    else:
        raise Refusal(415, "unsupported_media_type", "Content-Type must be application/json or text/csv.")
    if frame.rows == 0:
        raise bad_input("The request holds no rows.", code="empty")
    if frame.rows > MOST_ROWS:
        raise Refusal(
            413, "too_many_rows", f"A request may hold {MOST_ROWS} rows; this one has {frame.rows}."
        )
    if len(frame.columns) > MOST_COLUMNS:
        raise Refusal(413, "too_many_columns", f"A request may hold {MOST_COLUMNS} columns.")
    return frame


def _document(body: bytes, names: list[str]) -> dict[str, Any]:
    try:
        document = json.loads(body, parse_constant=_raise, object_pairs_hook=_unique)
    except Constant as found:
        column = place_of_constant(body, names)
        where = f"{column} holds {found}, which" if column else f"{found}"
        detail = f"{where} is not JSON. Send null for a missing value."
        raise bad_input(detail, column=column, code="not_finite", allowed="a number or null") from None
    except RecursionError:
        raise bad_input("The JSON is nested too deeply.", code="malformed") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise bad_input(f"The body is not JSON: {error}.", code="malformed") from None
    except ValueError as error:  # an integer of thousands of digits
        raise bad_input(f"The body is not JSON: {str(error).partition(';')[0]}.", code="malformed") from None
    if not isinstance(document, dict):
        raise bad_input(f"The body must be a JSON object with {PLACES}.", code="malformed")
    return document


def _raise(name: str) -> NoReturn:
    raise Constant(name)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise bad_input(f"The name {name!r} appears twice in one object.", code="duplicate_name")
        seen.add(name)
    return made


def _from_json(document: dict[str, Any], names: list[str]) -> Frame:
    found = [name for name in FORMATS if name in document]
    if len(found) != 1:
        raise bad_input(f"The body must hold exactly {PLACES}.", code="malformed")
    if document.get("params"):
        raise bad_input("This model takes no params.", column="params", code="unexpected_params")
    if odd := set(document) - {found[0], "params", "signature_name"}:
        raise bad_input(
            f"The body holds {sorted(odd)[0]!r}, which the protocol does not know.", code="malformed"
        )
    value = document[found[0]]
    if found[0] == "dataframe_split":
        return _split(value)
    if found[0] == "inputs" and isinstance(value, dict):
        return _columns(value, "inputs")
    if not isinstance(value, list):
        raise bad_input(f"{found[0]} must be a list of rows.", code="malformed")
    if not value:
        return Frame({}, 0)
    if isinstance(value[0], dict):
        return _records(value, found[0])
    if found[0] == "dataframe_records":
        raise bad_input("dataframe_records must be a list of objects.", code="malformed")
    if not isinstance(value[0], list):
        value = [[each] for each in value]
    return _rows(value, names or [str(index) for index in range(len(value[0]))], found[0])


def _split(value: Any) -> Frame:
    allowed = {"columns", "data", "index"}
    if not isinstance(value, dict) or not {"columns", "data"} <= set(value) <= allowed:
        raise bad_input("dataframe_split must hold columns and data (and may hold index).", code="malformed")
    columns = value["columns"]
    if not isinstance(columns, list) or not all(isinstance(name, str | int) for name in columns):
        raise bad_input("dataframe_split.columns must be a list of names.", code="malformed")
    if not isinstance(value["data"], list):
        raise bad_input("dataframe_split.data must be a list of rows.", code="malformed")
    return _rows(value["data"], [str(name) for name in columns], "dataframe_split.data")


def _rows(rows: list[Any], names: list[str], where: str) -> Frame:
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise bad_input(f"The column {twice!r} appears twice.", column=twice, code="duplicate_column")
    for index, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(names):
            raise bad_input(
                f"Row {index} of {where} must be a list of {len(names)} values ({', '.join(names[:8])}).",
                code="ragged",
            )
    return Frame(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}, len(rows))


def _records(rows: list[Any], where: str) -> Frame:
    names: dict[str, None] = {}
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise bad_input(f"Row {index} of {where} must be an object.", code="malformed")
        names.update(dict.fromkeys(row))
    if not names:
        raise bad_input(f"The rows of {where} are empty.", code="empty")
    return Frame({name: [row.get(name) for row in rows] for name in names}, len(rows))


def _columns(value: dict[str, Any], where: str) -> Frame:
    columns = {name: each if isinstance(each, list) else [each] for name, each in value.items()}
    lengths = {len(each) for each in columns.values()}
    if len(lengths) > 1:
        raise bad_input(f"The columns of {where} differ in length: {sorted(lengths)}.", code="ragged")
    return Frame(columns, lengths.pop() if lengths else 0)


def _from_csv(body: bytes) -> Frame:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise bad_input(
            f"The CSV is not UTF-8: {error.reason} at byte {error.start}.", code="malformed"
        ) from None
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise bad_input(f"The CSV cannot be read: {error}.", code="malformed") from None
    if not rows:
        return Frame({}, 0, is_text=True)
    frame = _rows([row for row in rows[1:] if row], rows[0], "the CSV")
    return Frame(frame.columns, frame.rows, is_text=True)
