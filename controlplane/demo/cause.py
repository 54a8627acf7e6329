"""Looking for the cause: the prediction log as its readers get it, joined with what became of the flights."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date

import polars as pl
from sklearn.metrics import roc_auc_score

from controlplane.demo.cast import ENVIRONMENT, MODEL, Cast
from controlplane.demo.traffic import Traffic

# Beyond ten miles the feed says ten: anything less is fog, rain or snow in the air.
CLEAR_MILES = 10
FEWEST = 100


@dataclass(frozen=True)
class Findings:
    """ROC AUC of the served version and its shadow on the same flights, whole and in parts."""

    rows: int
    whole: tuple[float, float]
    wet: tuple[float, float]
    dry: tuple[float, float]
    familiar: tuple[float, float]
    familiar_rows: int
    worst: date
    worst_auc: tuple[float, float]
    worst_late: float
    worst_predicted: float


def look(cast: Cast, traffic: Traffic, served: int, shadow: int, first: date, last: date) -> Findings:
    """Compare two versions on the flights of these days, by weather, by temperature and by day."""
    log = prediction_log(cast, served, shadow)
    sent = traffic.sent.filter(pl.col("day").is_between(first, last)).select("prediction_id", "row")
    rows = sent.join(log, on="prediction_id").join(traffic.flights, on="row")
    trained = traffic.flights.filter(pl.col("month") <= 3)["temp"]
    low, high = trained.quantile(0.05), trained.quantile(0.95)
    is_wet = (pl.col("precip") > 0) | (pl.col("visib") < CLEAR_MILES)
    wet, dry = rows.filter(is_wet), rows.filter(~is_wet)
    familiar = rows.filter(pl.col("temp").is_between(low, high))
    days = [part for _, part in rows.group_by("day", maintain_order=True) if part.height >= FEWEST]
    worst = max(days, key=lambda part: part["late"].mean() - part["served"].mean())
    return Findings(
        rows.height,
        *(_auc(each) for each in (rows, wet, dry, familiar)),
        familiar.height,
        worst["day"][0],
        _auc(worst),
        float(worst["late"].mean()),
        float(worst["served"].mean()),
    )


def in_short(found: Findings) -> str:
    """The comparison in one line."""
    parts = (("all", found.whole), ("wet", found.wet), ("dry", found.dry), ("familiar", found.familiar))
    return ", ".join(f"{name} {one:.3f} against {other:.3f}" for name, (one, other) in parts)


def _auc(rows: pl.DataFrame) -> tuple[float, float]:
    return tuple(float(roc_auc_score(rows["late"], rows[name])) for name in ("served", "shadow"))


def prediction_log(cast: Cast, served: int, shadow: int) -> pl.DataFrame:
    """Prediction id and both versions' scores, from the sealed segments that REST hands out."""
    endpoint = next(cast.operator.items("endpoints", model=MODEL, environment=ENVIRONMENT))["id"]
    scores = {
        role: _scores(cast, endpoint, version, is_shadow=role == "shadow").rename({"score": role})
        for role, version in (("served", served), ("shadow", shadow))
    }
    return scores["served"].join(scores["shadow"], on="prediction_id")


def _scores(cast: Cast, endpoint: str, version: int, *, is_shadow: bool) -> pl.DataFrame:
    parts = []
    for segment in cast.operator.items(f"endpoints/{endpoint}/predictions"):
        if segment["version"] == version and (segment["slot"] == "shadow") == is_shadow:
            content = cast.operator.download(f"endpoints/{endpoint}/predictions/{segment['id']}")
            parts.append(pl.read_parquet(io.BytesIO(content), columns=["prediction_id", "score", "status"]))
    return (
        pl.concat(parts)
        .filter(pl.col("status") == 200)
        .select("prediction_id", "score")
        .unique("prediction_id")
    )
