"""A contract as an Open Data Contract Standard document.

Everything a contract says is in it: ranges as ``logicalTypeOptions``, missing shares, allowed
values, keys and volume as library quality checks. What the standard has no word for (that no
other columns are allowed) is a custom property, which reading understands again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

VERSION = "v3.1.0"
EXTRA_COLUMNS = "extraColumns"
TYPES = {"datetime": "timestamp"}
Document = dict[str, Any]


def as_standard(
    contract: Document, *, identity: str, name: str, revision: int, purpose: str = ""
) -> Document:
    """The document of one revision of a data set's contract."""
    table: Document = {"name": name, "logicalType": "object", "physicalType": "table"}
    if contract.get("description"):
        table["description"] = contract["description"]
    table["properties"] = [_property(*each, contract) for each in (contract.get("columns") or {}).items()]
    quality = [*_volume(contract.get("rows") or {}), *map(_key, _keys(contract))]
    if quality:
        table["quality"] = quality
    if contract.get("extra_columns", "allow") != "allow":
        table["customProperties"] = [{"property": EXTRA_COLUMNS, "value": contract["extra_columns"]}]
    return {
        "apiVersion": VERSION,
        "kind": "DataContract",
        "id": identity,
        "name": name,
        "version": str(revision),
        "status": "active",
        **({"description": {"purpose": purpose}} if purpose else {}),
        "schema": [table],
    }


def _property(name: str, rules: Document, contract: Document) -> Document:
    kind = rules["type"]
    share = rules.get("max_null_share") or 0
    about: Document = {"name": name, "logicalType": TYPES.get(kind, kind)}
    if rules.get("description"):
        about["description"] = rules["description"]
    about["required"] = not share
    if [name] in _keys(contract):
        about["unique"] = True
    ends = {"minimum": rules.get("min"), "maximum": rules.get("max")}
    options = {end: bound for end, bound in ends.items() if bound is not None}
    if options:
        about["logicalTypeOptions"] = options
    quality = []
    if 0 < share < 1:
        most = float(Decimal(str(share)) * 100)
        quality.append({"metric": "nullValues", "mustBeLessOrEqualTo": most, "unit": "percent"})
    if rules.get("allowed"):
        arguments = {"validValues": list(rules["allowed"])}
        quality.append({"metric": "invalidValues", "arguments": arguments, "mustBe": 0, "unit": "rows"})
    return {**about, "quality": quality} if quality else about


def _volume(rows: Document) -> list[Document]:
    low, high = rows.get("min"), rows.get("max")
    if low is None and high is None:
        return []
    if low == high:
        compared: Document = {"mustBe": low}
    elif low is not None and high is not None:
        compared = {"mustBeBetween": [low, high]}
    else:
        compared = {"mustBeLessOrEqualTo": high} if low is None else {"mustBeGreaterOrEqualTo": low}
    return [{"metric": "rowCount", **compared, "unit": "rows"}]


def _key(names: list[str]) -> Document:
    return {"metric": "duplicateValues", "arguments": {"properties": names}, "mustBe": 0, "unit": "rows"}


def _keys(contract: Document) -> list[list[str]]:
    return [[key] if isinstance(key, str) else list(key) for key in contract.get("unique") or []]
