"""From scores to metrics, intervals by day and slices; heavy libraries live here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from measures.binary import sliced_rows
from measures.bootstrap import compare

CANDIDATE, CHAMPION = "candidate", "champion"
SLICE_COLUMNS = ("carrier", "origin", "month")
FEWEST_ROWS = 200
MOST_SLICES = 60
SLICE_RESAMPLES = 400
METRICS_OF_SLICES = ("roc_auc",)


def judged(
    rows_path: Path, scores: dict[str, list[float]], *, label: str, event_time: str, group: str, seed: int
) -> dict[str, Any]:
    """Comparison (JSON of `measures.bootstrap.Comparison`), slices, rows and blocks.

    ``scores`` holds ``candidate`` and perhaps ``champion``, one score per row in file order.
    Blocks are days of ``event_time``, or values of ``group``; without either every row stands
    alone, which the answer says. Raises ValueError with a sentence for data that cannot judge.
    """
    table = pl.read_parquet(rows_path)
    if label not in table.columns:
        raise ValueError(f"The held-out rows have no column {label}, which the data set names as the label.")
    if "month" not in table.columns and event_time in table.columns:
        table = table.with_columns(month=pl.col(event_time).cast(pl.Datetime).dt.strftime("%Y-%m"))
    truth = table[label].cast(pl.Float64).to_numpy()
    blocks, block_words = _blocks(table, event_time, group)
    whole = compare(truth, scores, blocks, seed=seed)
    return {
        "comparison": {**whole.to_json(), "blocked_by": block_words},
        "slices": _slices(table, truth, scores, blocks, seed),
        "rows": whole.rows,
        "blocks": whole.blocks,
    }


def _blocks(table: pl.DataFrame, event_time: str, group: str) -> tuple[Any, str]:
    if group and group in table.columns:
        return table[group].cast(pl.String).to_numpy(), f"values of {group}"
    if event_time and event_time in table.columns:
        return table[event_time].cast(pl.Datetime).dt.date().cast(pl.Int32).to_numpy(), "days"
    return np.arange(table.height), "rows (no time or group column is known)"


def _slices(
    table: pl.DataFrame, truth: Any, scores: dict[str, list[float]], blocks: Any, seed: int
) -> list[dict[str, Any]]:
    """Weakest difference first; without a champion lowest candidate first."""
    arrays = {name: np.asarray(values) for name, values in scores.items()}
    found: list[dict[str, Any]] = []
    for column in SLICE_COLUMNS:
        if column not in table.columns:
            continue
        for value, rows in sliced_rows(
            table[column].cast(pl.String).fill_null("missing").to_numpy(), FEWEST_ROWS
        ).items():
            if truth[rows].min() == truth[rows].max():
                continue
            part = compare(
                truth[rows],
                {name: values[rows] for name, values in arrays.items()},
                blocks[rows],
                metrics=METRICS_OF_SLICES,
                resamples=SLICE_RESAMPLES,
                seed=seed,
            ).to_json()
            found.append(
                {"column": column, "value": value, "rows": int(rows.size), **part["metrics"]["roc_auc"]}
            )
    found.sort(key=_weakness)
    return found[:MOST_SLICES]


def _weakness(each: dict[str, Any]) -> float:
    figure = each.get("difference") or each[CANDIDATE]
    estimate = figure["estimate"]
    return float("inf") if estimate is None else float(estimate)
