"""The types of gates a policy may hold, each with its fields and what it asks; docs are made from these."""

from __future__ import annotations

from typing import Any

METRICS = ["roc_auc", "pr_auc", "brier", "log_loss"]
MODES = ["block", "warn"]
SEVERITIES = ["dangerous", "suspicious"]

_IDENTIFIER = {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,49}$"}
_NUMBER = {"type": "number"}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}


def _gate(kind: str, words: str, required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": words,
        "additionalProperties": False,
        "required": ["id", "type", "mode", *(required or [])],
        "properties": {"id": _IDENTIFIER, "type": {"const": kind}, "mode": {"enum": MODES}, **properties},
    }


_ALL = [
    _gate(
        "metric",
        "A metric of the evaluation within limits, or better than the champion's on the same rows."
        " Figures on rows that the candidate was trained on do not pass.",
        ["metric"],
        metric={"enum": METRICS},
        against={"const": "champion"},
        min_difference=_NUMBER,
        bound={"enum": ["point", "lower_95"]},
        min=_NUMBER,
        max=_NUMBER,
    ),
    _gate(
        "slice",
        "No slice of the evaluation falls behind the champion by more than a limit.",
        ["metric", "by", "max_drop"],
        metric={"const": "roc_auc"},
        by={"type": "array", "items": {"type": "string"}, "minItems": 1},
        min_rows={"type": "integer", "minimum": 1},
        max_drop=SHARE,
    ),
    _gate(
        "holdout_kind",
        "How the hold-out was split from the rows the version was trained on.",
        ["allowed"],
        allowed={"type": "array", "items": {"enum": ["random", "time_ordered", "grouped"]}, "minItems": 1},
    ),
    _gate("data_contract", "Every data set version behind it was checked and keeps its contract."),
    _gate("schema_compatible", "The signature takes what callers send today."),
    _gate(
        "latency",
        "How long one row takes in the sandbox.",
        ["quantile", "max_ms"],
        quantile={"enum": [0.5, 0.95, 0.99]},
        max_ms={"type": "number", "exclusiveMinimum": 0},
    ),
    _gate(
        "cost_forecast",
        "What 1,000 predictions will cost, from the processor time of the evaluation.",
        ["max_usd_per_1000"],
        max_usd_per_1000={"type": "string", "pattern": r"^\d{1,9}(\.\d{1,6})?$"},
    ),
    _gate("artifact_digest", "The bytes evaluated are those registered, and they are still there."),
    _gate(
        "sandbox",
        "The fence in which the evaluation ran.",
        ["allowed"],
        allowed={"type": "array", "items": {"type": "string"}, "minItems": 1},
    ),
    _gate(
        "scan",
        "The newest scan of these very bytes is whole and found nothing of the severity named, or worse;"
        " a version that was not scanned, or whose scan failed, does not pass.",
        ["severity"],
        severity={"enum": SEVERITIES},
        needs_clean={
            "type": "boolean",
            "description": "Also refuse formats that can run code when they are loaded.",
        },
    ),
    _gate(
        "signature",
        "Its OpenSSF signature is verified, by a key that is trusted now.",
        keys={
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 100},
            "minItems": 1,
            "description": "Only these trusted keys count, by name; without it any does.",
        },
    ),
]
GATES: dict[str, dict[str, Any]] = {each["properties"]["type"]["const"]: each for each in _ALL}
