"""The comparison in four answers: better or worse, who must change, which data, what it runs on."""

from __future__ import annotations

from registry.answers import Answer
from registry.compare.comparison import Comparison
from registry.compare.differences import differing
from registry.compare.signatures import ColumnChange


def answers_of(comparison: Comparison) -> list[tuple[str, Answer]]:
    """(Question, answer) in the order people ask."""
    return [
        ("Better?", _quality(comparison)),
        ("Signature", _signature(comparison)),
        ("Data", _data(comparison)),
        ("Environment", _environment(comparison)),
    ]


def _quality(comparison: Comparison) -> Answer:
    evaluation = comparison.evaluation
    if comparison.is_same_bytes:
        return Answer("info", "copy", "The same files", "both have one digest")
    if evaluation is not None and comparison.judged:
        row = comparison.judged[0]
        tone = row["tone"] if row["tone"] != "n" else "info"
        return Answer(tone, row["icon"], row["verdict"], f"{row['words']} on {evaluation.dataset_version}")
    if comparison.alike is not None:
        return comparison.alike.answer
    if comparison.refusal:
        why = (
            "not known what they were tested on" if comparison.is_test_unknown else "tested on different data"
        )
        return Answer("warn", "circle-help", "Not comparable", why)
    return Answer("info", "circle-help", "No interval", "tested on the same rows, never evaluated together")


def _signature(comparison: Comparison) -> Answer:
    without = [f"v{each.number}" for each in (comparison.a, comparison.b) if not each.signature]
    if len(without) == 1:
        return Answer("warn", "circle-help", "Not known", f"{without[0]} has no signature to hold against")
    if comparison.breaking:
        return Answer("bad", "circle-x", "Clients must change", _count(comparison.breaking))
    if comparison.columns:
        return Answer("ok", "circle-check", "Clients can stay", _count(comparison.columns))
    return Answer("ok", "circle-check", "The same", "no column differs")


def _count(changes: list[ColumnChange]) -> str:
    return f"{len(changes)} column{'s' * (len(changes) != 1)} differ{'s' * (len(changes) == 1)}"


def _data(comparison: Comparison) -> Answer:
    if not comparison.data:
        return Answer("warn", "circle-help", "Not known", "no data that you may see is named")
    changed = differing(comparison.data)
    if not changed:
        return Answer("info", "database", "The same", "training and hold-out alike")
    return Answer("info", "database", "Other data", f"{len(changed)} data set versions differ")


def _environment(comparison: Comparison) -> Answer:
    changed = len(differing(comparison.requirements)) + len(differing(comparison.environment))
    if not changed:
        return Answer("info", "package", "The same", "code and libraries alike")
    return Answer("info", "package", "Other", f"{changed} difference{'s' * (changed != 1)}")
