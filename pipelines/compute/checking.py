"""A contract's rules, each looked at on every row; results carry what was observed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from pipelines.compute.profile import as_text, kind_of
from pipelines.contracts import ColumnRules, Contract

MOST_SHOWN = 5
Result = dict[str, Any]


def check(table: pl.DataFrame, contract: Contract) -> list[Result]:
    """One result per rule: ``rule``, ``column``, ``status``, ``expected``, ``observed``, ``sentence``."""
    results = [*_volume(table, contract), *_extra(table, contract)]
    for rules in contract.columns:
        results += _column(table, rules)
    for names in contract.unique:
        if all(name in table.columns for name in names):
            results.append(_unique(table, names))
    return results


def _result(
    rule: str, column: str, holds: bool, expected: Any, observed: Any, sentence: str, rows: int = 0
) -> Result:
    return {
        "rule": rule,
        "column": column,
        "status": "passed" if holds else "failed",
        "expected": expected,
        "observed": observed,
        "rows": rows,
        "sentence": sentence,
    }


def _volume(table: pl.DataFrame, contract: Contract) -> Iterator[Result]:
    low, high = contract.min_rows, contract.max_rows
    if low is None and high is None:
        return
    holds = (low is None or table.height >= low) and (high is None or table.height <= high)
    expected = _range(low, high)
    sentence = f"{table.height:,} rows; {expected} are promised."
    yield _result("volume", "", holds, expected, table.height, sentence)


def _extra(table: pl.DataFrame, contract: Contract) -> Iterator[Result]:
    if not contract.forbids_extra_columns:
        return
    known = {each.name for each in contract.columns}
    extra = [name for name in table.columns if name not in known]
    sentence = (
        f"Columns not in the contract: {', '.join(extra[:MOST_SHOWN])}." if extra else "No other columns."
    )
    yield _result("extra_columns", "", not extra, "no other columns", extra[:MOST_SHOWN], sentence)


def _column(table: pl.DataFrame, rules: ColumnRules) -> Iterator[Result]:
    name = rules.name
    if name not in table.columns:
        yield _result("present", name, False, "present", "missing", f"Column {name} is missing.")
        return
    column = table[name]
    yield _nulls(column, rules)
    found = kind_of(column.dtype)
    fits = found == rules.type or (rules.type == "number" and found == "integer")
    if column.null_count() == len(column):
        fits = True  # a column without values has no type of its own
    verb = "as promised" if fits else f"not {rules.type}"
    yield _result("type", name, fits, rules.type, found, f"{name} is {found}, {verb}.")
    if not fits or column.null_count() == len(column):
        return
    if rules.minimum is not None or rules.maximum is not None:
        yield _within(column, rules)
    if rules.allowed is not None:
        yield _allowed(column, rules)


def _nulls(column: pl.Series, rules: ColumnRules) -> Result:
    nulls = column.null_count()
    share = nulls / len(column) if len(column) else 0.0
    expected = f"at most {rules.max_null_share:.4g} missing" if rules.max_null_share else "no value missing"
    sentence = f"{column.name} is missing in {nulls:,} of {len(column):,} rows ({share:.2%}); {expected} is promised."
    return _result("nulls", column.name, share <= rules.max_null_share, expected, share, sentence, nulls)


def _within(column: pl.Series, rules: ColumnRules) -> Result:
    low, high = (_comparable(each, column) for each in (rules.minimum, rules.maximum))
    outside = pl.repeat(False, len(column), eager=True)
    if low is not None:
        outside |= (column < low).fill_null(value=False)
    if high is not None:
        outside |= (column > high).fill_null(value=False)
    rows, span = int(outside.sum()), [_shown(column.min()), _shown(column.max())]
    expected = _range(rules.minimum, rules.maximum)
    sentence = f"{column.name} goes from {span[0]} to {span[1]}; {expected} is promised"
    sentence += f", and {rows:,} rows are outside." if rows else "."
    return _result("range", column.name, not rows, expected, span, sentence, rows)


def _allowed(column: pl.Series, rules: ColumnRules) -> Result:
    assert rules.allowed is not None
    unknown = column.drop_nulls().filter(~column.drop_nulls().is_in(list(rules.allowed)))
    values = unknown.value_counts(sort=True, name="rows")
    shown = [_shown(each) for each in values[column.name].head(MOST_SHOWN)]
    rows = len(unknown)
    sentence = f"{column.name} holds only the {len(rules.allowed)} allowed values."
    if rows:
        named = ", ".join(map(str, shown))
        sentence = f"{column.name} holds {named} in {rows:,} rows, not among its {len(rules.allowed)} allowed values."
    return _result("allowed", column.name, not rows, list(rules.allowed)[:50], shown, sentence, rows)


def _unique(table: pl.DataFrame, names: tuple[str, ...]) -> Result:
    together = ", ".join(names)
    repeated = table.height - table.select(names).n_unique()
    sentence = f"{together}: each row has its own value."
    if repeated:
        sentence = f"{together}: {repeated:,} rows repeat a value that must occur once."
    return _result("unique", together, not repeated, "each value once", repeated, sentence, repeated)


def _comparable(bound: Any, column: pl.Series) -> Any:
    if bound is None or not isinstance(bound, str):
        return bound
    moment = pl.Series([bound]).str.to_datetime(time_unit="us", time_zone="UTC")[0]
    if column.dtype == pl.Date:
        return moment.date()
    zone = getattr(column.dtype, "time_zone", None)
    return moment if zone else moment.replace(tzinfo=None)


def _range(low: Any, high: Any) -> str:
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"{low} to {high}"


def _shown(value: Any) -> Any:
    if isinstance(value, bool | int | float | None):
        return value
    return value[:100] if isinstance(value, str) else as_text(value)
