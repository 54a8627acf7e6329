"""A contract's rules, each looked at on every row; results carry what was observed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import polars as pl

from pipelines.compute.profile import as_text, kind_of
from pipelines.contracts import ColumnRules, Contract

MOST_SHOWN = 5
MOST_UNKNOWN = 1000
MOST_CANDIDATES = 1_000_000
Result = dict[str, Any]
Batches = Callable[[], Iterable[pl.DataFrame]]


def check(batches: Batches, contract: Contract) -> list[Result]:
    """One result per rule: ``rule``, ``column``, ``status``, ``expected``, ``observed``, ``sentence``.

    ``batches`` gives the table's rows from the start each time it is called; keys that seem to
    repeat are looked at a second time.
    """
    checking = Checking(contract)
    for batch in batches():
        checking.add(batch)
    return checking.results(batches)


class Checking:
    """The rules of one contract over a table that comes in batches."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.rows = 0
        self.names: list[str] = []
        self.columns = {rules.name: _ColumnCheck(rules) for rules in contract.columns}
        self.keys = {names: _KeyCheck(names) for names in contract.unique}

    def add(self, batch: pl.DataFrame) -> None:
        self.rows += batch.height
        self.names = batch.columns
        for name, column in self.columns.items():
            if name in batch.columns:
                column.add(batch[name])
        for names, key in self.keys.items():
            if all(name in batch.columns for name in names):
                key.add(batch)

    def results(self, batches: Batches) -> list[Result]:
        found = [*_volume(self.rows, self.contract), *_extra(self.names, self.contract)]
        for column in self.columns.values():
            found += column.results()
        return found + [key.result(batches) for key in self.keys.values() if key.hashes]


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


def _volume(rows: int, contract: Contract) -> Iterator[Result]:
    low, high = contract.min_rows, contract.max_rows
    if low is None and high is None:
        return
    holds = (low is None or rows >= low) and (high is None or rows <= high)
    expected = _range(low, high)
    sentence = f"{rows:,} rows; {expected} are promised."
    yield _result("volume", "", holds, expected, rows, sentence)


def _extra(names: list[str], contract: Contract) -> Iterator[Result]:
    if not contract.forbids_extra_columns:
        return
    known = {each.name for each in contract.columns}
    extra = [name for name in names if name not in known]
    sentence = (
        f"Columns not in the contract: {', '.join(extra[:MOST_SHOWN])}." if extra else "No other columns."
    )
    yield _result("extra_columns", "", not extra, "no other columns", extra[:MOST_SHOWN], sentence)


class _ColumnCheck:
    """What the rules of one column found so far."""

    def __init__(self, rules: ColumnRules) -> None:
        self.rules = rules
        self.found = ""
        self.rows = self.nulls = self.outside = 0
        self.low: Any = None
        self.high: Any = None
        self.unknown: dict[Any, int] = {}
        self.unknown_rows = 0

    def add(self, column: pl.Series) -> None:
        self.found = kind_of(column.dtype)
        self.rows += len(column)
        self.nulls += column.null_count()
        if column.null_count() == len(column) or not self._fits():
            return
        if self.rules.minimum is not None or self.rules.maximum is not None:
            self._add_range(column)
        if self.rules.allowed is not None:
            self._add_unknown(column.drop_nulls())

    def results(self) -> Iterator[Result]:
        name, rules = self.rules.name, self.rules
        if not self.found:
            yield _result("present", name, False, "present", "missing", f"Column {name} is missing.")
            return
        yield self._nulls()
        is_empty = self.nulls == self.rows
        fits = self._fits() or is_empty  # a column without values has no type of its own
        verb = "as promised" if fits else f"not {rules.type}"
        yield _result("type", name, fits, rules.type, self.found, f"{name} is {self.found}, {verb}.")
        if not fits or is_empty:
            return
        if rules.minimum is not None or rules.maximum is not None:
            yield self._within()
        if rules.allowed is not None:
            yield self._allowed()

    def _fits(self) -> bool:
        return self.found == self.rules.type or (self.rules.type == "number" and self.found == "integer")

    def _add_range(self, column: pl.Series) -> None:
        low, high = (_comparable(each, column) for each in (self.rules.minimum, self.rules.maximum))
        outside = pl.repeat(False, len(column), eager=True)
        if low is not None:
            outside |= (column < low).fill_null(value=False)
        if high is not None:
            outside |= (column > high).fill_null(value=False)
        self.outside += int(outside.sum())
        lowest, highest = column.min(), column.max()
        self.low = lowest if self.low is None else min(self.low, lowest)
        self.high = highest if self.high is None else max(self.high, highest)

    def _add_unknown(self, present: pl.Series) -> None:
        unknown = present.filter(~present.is_in(list(self.rules.allowed or ())))
        self.unknown_rows += len(unknown)
        if len(self.unknown) < MOST_UNKNOWN and len(unknown):
            counted = unknown.value_counts(name="rows").head(MOST_UNKNOWN)
            for value, rows in zip(counted[unknown.name].to_list(), counted["rows"].to_list(), strict=True):
                self.unknown[value] = self.unknown.get(value, 0) + rows

    def _nulls(self) -> Result:
        name, most = self.rules.name, self.rules.max_null_share
        share = self.nulls / self.rows if self.rows else 0.0
        expected = f"at most {most:.4g} missing" if most else "no value missing"
        sentence = f"{name} is missing in {self.nulls:,} of {self.rows:,} rows ({share:.2%}); {expected} is promised."
        return _result("nulls", name, share <= most, expected, share, sentence, self.nulls)

    def _within(self) -> Result:
        name, span = self.rules.name, [_shown(self.low), _shown(self.high)]
        expected = _range(self.rules.minimum, self.rules.maximum)
        sentence = f"{name} goes from {_words(span[0])} to {_words(span[1])}; {expected} is promised"
        sentence += f", and {self.outside:,} rows are outside." if self.outside else "."
        return _result("range", name, not self.outside, expected, span, sentence, self.outside)

    def _allowed(self) -> Result:
        name, allowed, rows = self.rules.name, list(self.rules.allowed or ()), self.unknown_rows
        often = sorted(self.unknown, key=lambda value: (-self.unknown[value], str(value)))
        shown = [_shown(each) for each in often[:MOST_SHOWN]]
        sentence = f"{name} holds only the {len(allowed)} allowed values."
        if rows:
            named = ", ".join(map(str, shown))
            sentence = f"{name} holds {named} in {rows:,} rows, not among its {len(allowed)} allowed values."
        return _result("allowed", name, not rows, allowed[:50], shown, sentence, rows)


class _KeyCheck:
    """Eight bytes per row tell whether a key repeats; what seems to is then compared itself."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.hashes: list[Any] = []

    def add(self, batch: pl.DataFrame) -> None:
        self.hashes.append(batch.select(self.names).hash_rows().to_numpy())

    def result(self, batches: Batches) -> Result:
        repeated = self._repeated(batches)
        together = ", ".join(self.names)
        sentence = f"{together}: each row has its own value."
        if repeated:
            sentence = f"{together}: {repeated:,} rows repeat a value that must occur once."
        return _result("unique", together, not repeated, "each value once", repeated, sentence, repeated)

    def _repeated(self, batches: Batches) -> int:
        hashes = np.sort(np.concatenate(self.hashes))
        again = hashes[1:] == hashes[:-1]
        suspected = int(again.sum())
        if not suspected or suspected > MOST_CANDIDATES:
            return suspected
        twice = pl.Series(np.unique(hashes[1:][again]))
        found = []
        for batch in batches():
            keys = batch.select(self.names)
            found.append(keys.filter(keys.hash_rows().is_in(twice)))
        rows = pl.concat(found)
        return rows.height - rows.n_unique()


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


def _words(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _shown(value: Any) -> Any:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)  # as JSON that everybody can read
    if isinstance(value, bool | int | float | None):
        return value
    return value[:100] if isinstance(value, str) else as_text(value)
