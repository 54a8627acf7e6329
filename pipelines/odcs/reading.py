"""An Open Data Contract Standard document as a contract; whatever it cannot say is listed, never lost."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.errors import Invalid
from pipelines.contracts import SCHEMA, parse
from pipelines.odcs.writing import EXTRA_COLUMNS

Document = dict[str, Any]
TYPES = {
    "timestamp": "datetime",
    **{each: each for each in ("string", "integer", "number", "boolean", "date")},
}
# What identifies or describes a document and promises nothing of the data.
ABOUT = {"apiVersion", "kind", "id", "version", "name", "status", "description", "schema"}
OF_TABLE = {
    "name",
    "logicalType",
    "physicalType",
    "physicalName",
    "description",
    "properties",
    "quality",
    "id",
}
OF_COLUMN = {
    "id",
    "name",
    "logicalType",
    "logicalTypeOptions",
    "description",
    "required",
    "unique",
    "primaryKey",
    "primaryKeyPosition",
    "enum",
    "quality",
}
OPTIONS = {"minimum", "maximum"}
OF_CHECK = {"metric", "type", "unit", "arguments", "description", "name", "id"}


@dataclass
class Reading:
    """The contract that a document amounts to, and what of the document it leaves out."""

    document: Document = field(default_factory=dict)
    left_out: list[dict[str, str]] = field(default_factory=list)

    def leave_out(self, path: str, words: str) -> None:
        self.left_out.append({"path": path, "words": words})


def is_standard(document: Any) -> bool:
    """Whether this looks like a document of the standard."""
    return isinstance(document, dict) and document.get("kind") == "DataContract"


def from_standard(document: Any, *, table: str = "") -> Reading:
    """Read the schema object named ``table``, or the only one; Invalid names the field at fault."""
    _require_version(document)
    reading = Reading()
    for name in sorted(document.keys() - ABOUT):
        reading.leave_out(name, "a contract here has no place for it")
    chosen, where = _chosen(document, table)
    for name in sorted(chosen.keys() - OF_TABLE - {"customProperties"}):
        reading.leave_out(f"{where}.{name}", "a contract here has no place for it")
    columns: Document = {}
    keys: list[list[str]] = []
    for index, about in enumerate(_list(chosen.get("properties"), f"{where}.properties")):
        _read_column(
            reading,
            columns,
            keys,
            _object(about, f"{where}.properties[{index}]"),
            f"{where}.properties[{index}]",
        )
    primary = _primary(chosen)
    rows: Document = {}
    of_table: list[list[str]] = []
    for index, check in enumerate(_list(chosen.get("quality"), f"{where}.quality")):
        _read_check(
            reading, rows, of_table, _object(check, f"{where}.quality[{index}]"), f"{where}.quality[{index}]"
        )
    contract: Document = {"schema": SCHEMA}
    if isinstance(chosen.get("description"), str):
        contract["description"] = chosen["description"]
    if rows:
        contract["rows"] = rows
    contract["columns"] = columns
    unique = [key for key in _once([*of_table, *keys, *primary]) if all(name in columns for name in key)]
    if unique:
        contract["unique"] = unique
    _read_custom(reading, contract, chosen, where)
    parse(contract)
    reading.document = contract
    return reading


def _require_version(document: Any) -> None:
    if not is_standard(document):
        raise Invalid("kind must be DataContract.", field="kind", allowed="DataContract")
    if not str(document.get("apiVersion", "")).startswith("v3."):
        raise Invalid("apiVersion must be v3.0.0 or a later v3.", field="apiVersion", allowed="v3.x")


def _chosen(document: Document, table: str) -> tuple[Document, str]:
    tables = _list(document.get("schema"), "schema")
    names = [str(_object(each, f"schema[{index}]").get("name", "")) for index, each in enumerate(tables)]
    if table in names:
        index = names.index(table)
    elif len(tables) == 1:
        index = 0
    else:
        allowed = ", ".join(names) or "one schema object"
        raise Invalid(
            f"schema holds {len(tables)} objects; name one of: {allowed}.", field="table", allowed=allowed
        )
    return tables[index], f"schema[{index}]"


def _read_column(
    reading: Reading, columns: Document, keys: list[list[str]], about: Document, where: str
) -> None:
    name, kind = about.get("name"), TYPES.get(str(about.get("logicalType")))
    if not isinstance(name, str) or kind is None:
        words = f"columns of the type {about.get('logicalType')!r} are not kept here"
        reading.leave_out(where, words if name else "it has no name")
        return
    for other in sorted(about.keys() - OF_COLUMN):
        reading.leave_out(f"{where}.{other}", "a contract here has no place for it")
    rules: Document = {"type": kind}
    _read_options(
        reading, rules, _object(about.get("logicalTypeOptions") or {}, f"{where}.logicalTypeOptions"), where
    )
    if isinstance(about.get("description"), str) and about["description"]:
        rules["description"] = about["description"]
    is_required = about.get("required") is True or about.get("primaryKey") is True
    share: float = 0.0 if is_required else 1.0
    values = [
        _object(each, f"{where}.enum").get("value") for each in _list(about.get("enum"), f"{where}.enum")
    ]
    for index, check in enumerate(_list(about.get("quality"), f"{where}.quality")):
        path = f"{where}.quality[{index}]"
        found = _object(check, path)
        if (limit := _null_share(found)) is not None:
            share = min(share, limit)
        elif (allowed := _valid_values(found)) is not None:
            values = [each for each in values if each in allowed] if values else allowed
        elif found.get("metric") == "duplicateValues" and found.get("mustBe") == 0:
            keys.append([name])
        else:
            reading.leave_out(path, _named(found))
            continue
        _leave_rest(reading, found, path)
    if share:
        rules["max_null_share"] = share
    if values:
        rules["allowed"] = [each for each in values if each is not None]
    if about.get("unique") is True:
        keys.append([name])
    columns[name] = rules


def _read_options(reading: Reading, rules: Document, options: Document, where: str) -> None:
    for name, value in options.items():
        if name in OPTIONS:
            rules["min" if name == "minimum" else "max"] = value
        elif name.startswith("exclusive") and rules["type"] == "integer" and isinstance(value, int):
            rules["min" if name == "exclusiveMinimum" else "max"] = value + (
                1 if name.endswith("Minimum") else -1
            )
        elif name not in {"timezone", "defaultTimezone"}:
            reading.leave_out(f"{where}.logicalTypeOptions.{name}", "there is no such rule here")


def _read_check(reading: Reading, rows: Document, keys: list[list[str]], check: Document, where: str) -> None:
    metric = check.get("metric", check.get("rule"))
    if metric == "rowCount" and (ends := _ends(check)):
        rows.update(ends)
    elif metric == "duplicateValues" and check.get("mustBe") == 0 and _properties(check):
        keys.append(_properties(check))
    else:
        reading.leave_out(where, _named(check))
        return
    _leave_rest(reading, check, where)


def _leave_rest(reading: Reading, check: Document, where: str) -> None:
    for name in sorted(check.keys() - OF_CHECK):
        if name != "rule" and not name.startswith("must"):
            reading.leave_out(f"{where}.{name}", "a rule here has no place for it")


def _null_share(check: Document) -> float | None:
    if check.get("metric") != "nullValues":
        return None
    if check.get("mustBe") == 0:
        return 0.0
    most = check.get("mustBeLessOrEqualTo")
    if check.get("unit") == "percent" and _is_number(most) and 0 <= most <= 100:
        return float(Decimal(str(most)) / 100)
    return None


def _valid_values(check: Document) -> list[Any] | None:
    values = (
        (check.get("arguments") or {}).get("validValues") if check.get("metric") == "invalidValues" else None
    )
    if not isinstance(values, list) or check.get("mustBe") != 0 or len(check["arguments"]) > 1:
        return None
    return [each for each in values if each is not None]


def _ends(check: Document) -> Document:
    between = check.get("mustBeBetween")
    if isinstance(between, list) and len(between) == 2:
        low, high = between
    else:
        same = check.get("mustBe")
        low = check.get("mustBeGreaterOrEqualTo", same)
        high = check.get("mustBeLessOrEqualTo", same)
        if _is_number(above := check.get("mustBeGreaterThan")):
            low = math.floor(above) + 1
        if _is_number(below := check.get("mustBeLessThan")):
            high = math.ceil(below) - 1
    ends = {"min": low, "max": high}
    return {
        end: value for end, value in ends.items() if isinstance(value, int) and not isinstance(value, bool)
    }


def _properties(check: Document) -> list[str]:
    names = (check.get("arguments") or {}).get("properties")
    return names if isinstance(names, list) and all(isinstance(each, str) for each in names) else []


def _primary(table: Document) -> list[list[str]]:
    parts = [each for each in table.get("properties") or [] if each.get("primaryKey") is True]
    parts.sort(
        key=lambda each: (
            each.get("primaryKeyPosition") if isinstance(each.get("primaryKeyPosition"), int) else 0
        )
    )
    return [[each["name"] for each in parts if isinstance(each.get("name"), str)]] if parts else []


def _read_custom(reading: Reading, contract: Document, table: Document, where: str) -> None:
    for index, each in enumerate(_list(table.get("customProperties"), f"{where}.customProperties")):
        found = _object(each, f"{where}.customProperties[{index}]")
        if found.get("property") == EXTRA_COLUMNS and found.get("value") in {"allow", "forbid"}:
            contract["extra_columns"] = found["value"]
        else:
            reading.leave_out(
                f"{where}.customProperties[{index}]", f"{found.get('property')} means nothing here"
            )


def _named(check: Document) -> str:
    kind = check.get("metric") or check.get("rule") or check.get("type") or "check"
    return f"the check {str(kind)[:60]!r} in this form is not known here"


def _once(keys: list[list[str]]) -> list[list[str]]:
    return [key for index, key in enumerate(keys) if key not in keys[:index]]


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Invalid(f"{where} must be a list.", field=where, allowed="a list")
    return value


def _object(value: Any, where: str) -> Document:
    if not isinstance(value, dict):
        raise Invalid(f"{where} must be a table of names and values.", field=where, allowed="an object")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
