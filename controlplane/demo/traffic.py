"""The flights of 2013 replayed: asked of the gateway in their order, labelled when their truth is known."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from controlplane.demo.cast import ENVIRONMENT, MODEL, Cast
from pipelines.compute.flights import WEATHER, flights

SCHEDULE = ["carrier", "origin", "dest", "hour", "minute", "weekday", "distance"]
EVENT_TIME = "scheduled_at"
ASKED = [*SCHEDULE, *WEATHER, EVENT_TIME]
AT_ONCE = 4
LABELS_AT_ONCE = 50_000
REPORTED_AFTER = timedelta(days=7)


class Traffic:
    """What was asked for so far. Days are of UTC, as windows are."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        table = flights().with_columns(
            day=pl.col("scheduled_at").dt.date(),
            scheduled_at=pl.col("scheduled_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        self.flights = table.with_row_index("row")
        self._sent: list[pl.DataFrame] = []
        self._labelled: set[int] = set()

    def days(self, first: date, last: date, *, keep_one_in: int = 1) -> pl.DataFrame:
        """The flights of these days; a sample keeps every n-th flight of the schedule."""
        inside = self.flights.filter(pl.col("day").is_between(first, last))
        return inside.gather_every(keep_one_in)

    def ask_by_hour(self, rows: pl.DataFrame) -> int:
        """One request for the flights of each hour, as an operations desk would."""
        parts = [part for _, part in rows.group_by("day", "hour", maintain_order=True)]
        return self._ask(parts)

    def ask_one_by_one(self, rows: pl.DataFrame) -> int:
        """One request per flight, as an app would."""
        return self._ask([rows[at : at + 1] for at in range(rows.height)])

    def _ask(self, parts: list[pl.DataFrame]) -> int:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self._sent += pool.map(self._ask_once, parts)
        return len(parts)

    def _ask_once(self, part: pl.DataFrame) -> pl.DataFrame:
        body = {"dataframe_split": {"columns": ASKED, "data": part.select(ASKED).rows()}}
        answer = self.cast.gateway.predict(ENVIRONMENT, MODEL, body)
        base = answer.headers["X-Prediction-Id"]
        ids = [base] if part.height == 1 else [f"{base}:{row}" for row in range(part.height)]
        version = int(answer.headers["X-Model-Version"])
        return part.select("row", "day", "late").with_columns(
            prediction_id=pl.Series(ids), version=pl.lit(version)
        )

    @property
    def sent(self) -> pl.DataFrame:
        """Every prediction: id, version that answered, row and day of the flight, and what became of it."""
        return pl.concat(self._sent)

    def label(self, first: date, last: date) -> list[str]:
        """Report what became of the flights of these days; answers the batches' ids.

        A label is observed when its week is reported, days after the flight.
        """
        sent = self.sent.filter(pl.col("day").is_between(first, last), ~pl.col("row").is_in(self._labelled))
        self._labelled |= set(sent["row"])
        labels = [
            {"prediction_id": key, "label": late, "observed_at": reported_at(day).isoformat()}
            for key, late, day in sent.select("prediction_id", "late", "day").iter_rows()
        ]
        address = f"endpoints/{ENVIRONMENT}/{MODEL}/labels"
        return [
            str(self.cast.scientist.post(address, part, 202)["id"]) for part in _parts(labels, LABELS_AT_ONCE)
        ]


def reported_at(day: date) -> datetime:
    """The Monday morning after the week that holds ``day``: arrivals are reported by the week."""
    return datetime.combine(day - timedelta(days=day.weekday()) + REPORTED_AFTER, time(6), UTC)


def _parts(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
