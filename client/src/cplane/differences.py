"""Two versions side by side: only what differs."""

from __future__ import annotations

import json
from typing import Any

from controlplane_client import ModelVersion

Described = tuple[ModelVersion, dict[str, str]]


def differences(first: Described, second: Described) -> list[dict[str, Any]]:
    """One entry per metric, parameter, tag, column, requirement or file that is not the same."""
    (a, files_a), (b, files_b) = first, second
    found = [
        *_of("metric", a.metrics, b.metrics),
        *_of("parameter", a.parameters, b.parameters),
        *_of("tag", a.tags, b.tags),
        *_of("input", _columns(a.signature, "inputs"), _columns(b.signature, "inputs")),
        *_of("output", _columns(a.signature, "outputs"), _columns(b.signature, "outputs")),
        *_of("requirement", _requirements(a.requirements), _requirements(b.requirements)),
        *_of("file", files_a, files_b),
    ]
    plain = {"commit": "code_commit", "holdout": "holdout", "format warning": "format_warning"}
    for name, attribute in plain.items():
        found += _of("fact", {name: getattr(a, attribute) or None}, {name: getattr(b, attribute) or None})
    return found


def _of(what: str, a: dict[str, Any], b: dict[str, Any]) -> list[dict[str, Any]]:
    names = sorted({*a, *b})
    return [
        {"what": what, "name": name, "a": a.get(name), "b": b.get(name)}
        for name in names
        if a.get(name) != b.get(name)
    ]


def _columns(signature: Any, side: str) -> dict[str, Any]:
    """Name to type; MLflow writes the list as JSON text."""
    columns = (signature or {}).get(side) if isinstance(signature, dict) else None
    if isinstance(columns, str):
        try:
            columns = json.loads(columns)
        except ValueError:
            return {side: columns}
    if not isinstance(columns, list):
        return {}
    return {
        str(
            each.get("name") or place
        ): f"{each.get('type')}{'' if each.get('required', True) else ', optional'}"
        for place, each in enumerate(columns)
        if isinstance(each, dict)
    }


def _requirements(given: Any) -> dict[str, str]:
    """``numpy==2.1`` as numpy to ==2.1."""
    lines = given if isinstance(given, list) else str(given or "").splitlines()
    found = {}
    for line in (str(each).strip() for each in lines):
        if not line or line.startswith("#"):
            continue
        end = next((place for place, letter in enumerate(line) if letter in "=<>!~ ;["), len(line))
        found[line[:end]] = line[end:].strip() or "any"
    return found
