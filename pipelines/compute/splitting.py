"""Keeping rows back to judge a model on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

KINDS = ("random", "time_ordered")


def split(
    table: pl.DataFrame, *, kind: str, test_fraction: float, seed: int, event_time_column: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Training rows and hold-out rows, both in the table's order.

    ``random`` draws rows by seed, so that rows of one day fall on both sides; ``time_ordered``
    keeps the latest rows, cut where the event time changes so that no moment is on both sides.
    """
    kept = round(table.height * test_fraction)
    if not 0 < kept < table.height:
        raise ValueError("test_fraction leaves no rows for training or for the hold-out.")
    if kind == "random":
        drawn = np.zeros(table.height, dtype=bool)
        drawn[np.random.default_rng(seed).permutation(table.height)[:kept]] = True
        flags = pl.Series(drawn)
    elif kind == "time_ordered":
        times = table[event_time_column]
        cut: Any = times.sort()[table.height - kept]
        flags = times >= cut
    else:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}.")
    return table.filter(~flags), table.filter(flags)


def read_all(paths: list[Path], event_time_column: str) -> pl.DataFrame:
    """The rows of several versions together, in order of event time where there is one."""
    table = pl.concat([pl.read_parquet(path) for path in paths], how="vertical_relaxed")
    return table.sort(event_time_column, maintain_order=True) if event_time_column else table
