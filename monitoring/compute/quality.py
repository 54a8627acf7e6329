"""Quality on rows whose labels have come: one version, or two on the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from measures.bootstrap import compare
from monitoring.compute.segments import SCORED

RESAMPLES = 1000
SEED = 20130401
DAY_US = 86_400_000_000
COLUMNS = ["prediction_id", "event_time", "deployment_id", "slot", "status", "score"]


def predictions_of_day(paths: Iterable[Path], day: date) -> pa.Table:
    """Scored rows of one day of event time: prediction id, event time, deployment, role, score.

    The log is written at least once: a row that is there twice counts once.
    """
    start = np.datetime64(day, "us").astype(np.int64)
    parts = []
    for path in paths:
        table = pq.read_table(path, columns=COLUMNS)
        moment = table["event_time"].cast(pa.int64())
        inside = pc.and_(pc.greater_equal(moment, int(start)), pc.less(moment, int(start) + DAY_US))
        parts.append(table.filter(pc.and_(inside, pc.equal(table["status"], SCORED))))
    if not parts:
        return pa.table({name: pa.array([], kind) for name, kind in _SCHEMA.items()})
    table = pa.concat_tables(parts, promote_options="default")
    table = table.append_column("role", pc.if_else(pc.equal(table["slot"], "shadow"), "shadow", "served"))
    table = table.group_by(["prediction_id", "deployment_id", "role"]).aggregate(
        [("event_time", "min"), ("score", "min")]
    )
    names = {"event_time_min": "event_time", "score_min": "score"}
    return table.rename_columns([names.get(name, name) for name in table.column_names]).select(list(_SCHEMA))


_SCHEMA = {
    "prediction_id": pa.string(),
    "deployment_id": pa.string(),
    "role": pa.string(),
    "event_time": pa.timestamp("us", tz="UTC"),
    "score": pa.float64(),
}


def with_labels(predictions: pa.Table, labels: Sequence[tuple[str, float, Any]], day: date) -> pa.Table:
    """Join labels (prediction id, value, observed at) to a day's predictions; unlabelled rows stay."""
    known = pa.table(
        {
            "prediction_id": pa.array([each[0] for each in labels], pa.string()),
            "label": pa.array([each[1] for each in labels], pa.float64()),
            "observed_at": pa.array([each[2] for each in labels], pa.timestamp("us", tz="UTC")),
        }
    )
    joined = predictions.join(known, keys="prediction_id", join_type="left outer")
    return joined.append_column("day", pa.array([day] * joined.num_rows, pa.date32()))


def arrivals(rows: pa.Table) -> tuple[int, int, dict[str, int]]:
    """Predictions, labelled ones, and labels by whole days between event and observation."""
    served = rows.filter(pc.equal(rows["role"], "served"))
    labelled = served.filter(pc.is_valid(served["label"]))
    waits = pc.subtract(labelled["observed_at"].cast(pa.int64()), labelled["event_time"].cast(pa.int64()))
    days = np.maximum(np.asarray(waits) // DAY_US, 0)
    values, counts = np.unique(days, return_counts=True)
    return (
        served.num_rows,
        labelled.num_rows,
        {str(int(v)): int(c) for v, c in zip(values, counts, strict=True)},
    )


def quality_windows(rows: pa.Table, versions: dict[str, str]) -> list[dict[str, Any]]:
    """Quality of each version and role in these rows (of one day, a week, or more).

    ``versions`` maps deployment ids to version ids. The served version is compared with the
    shadow that shares most rows with it, on those rows alone. Intervals draw whole days.
    """
    names = pc.index_in(rows["deployment_id"], pa.array(list(versions)))
    ids = pa.array(list(versions.values()), pa.string())
    rows = rows.append_column(
        "version", ids.take(names.combine_chunks()) if rows.num_rows else pa.array([], pa.string())
    )
    groups = rows.group_by(["version", "role"]).aggregate([("prediction_id", "count")]).to_pylist()
    found = []
    for group in sorted(groups, key=lambda each: (str(each["role"]), str(each["version"]))):
        if group["version"] is None:
            continue
        mine = rows.filter(
            pc.and_(pc.equal(rows["version"], group["version"]), pc.equal(rows["role"], group["role"]))
        )
        window = {"version": group["version"], "role": group["role"], **_span(mine), **_one(mine)}
        if group["role"] == "served":
            window |= _compared(mine, rows.filter(pc.equal(rows["role"], "shadow")), group["version"])
        found.append(window)
    return found


def _one(mine: pa.Table) -> dict[str, Any]:
    labelled = mine.filter(pc.is_valid(mine["label"]))
    window: dict[str, Any] = {"predictions": mine.num_rows, "rows": labelled.num_rows, "positives": 0}
    reason = _why_not(labelled["label"], [labelled["score"]])
    if reason:
        return {**window, "reason": reason}
    label, score, day = (np.asarray(labelled[name]) for name in ("label", "score", "day"))
    answer = compare(label, {"model": score}, day, resamples=_resamples(day), seed=SEED).to_json()
    return {
        **window,
        "positives": answer["positives"],
        "metrics": {metric: by["model"] for metric, by in answer["metrics"].items()},
    }


def _compared(mine: pa.Table, shadow: pa.Table, version: str) -> dict[str, Any]:
    """Both models on the rows that both scored and that have labels."""
    if not shadow.num_rows:
        return {}
    theirs = shadow.select(["prediction_id", "version", "score"]).rename_columns(
        ["prediction_id", "shadow_version", "shadow_score"]
    )
    both = mine.join(theirs, keys="prediction_id", join_type="inner")
    both = both.filter(pc.not_equal(both["shadow_version"], version))
    counts = both.group_by("shadow_version").aggregate([("prediction_id", "count")]).to_pylist()
    if not counts:
        return {}
    against = max(counts, key=lambda each: (each["prediction_id_count"], str(each["shadow_version"])))[
        "shadow_version"
    ]
    both = both.filter(pc.and_(pc.equal(both["shadow_version"], against), pc.is_valid(both["label"])))
    reason = _why_not(both["label"], [both["score"], both["shadow_score"]])
    if reason:
        return {"against": against, "comparison": {"rows": both.num_rows, "reason": reason, "metrics": {}}}
    scores = {"served": np.asarray(both["score"]), "shadow": np.asarray(both["shadow_score"])}
    day = np.asarray(both["day"])
    answer = compare(np.asarray(both["label"]), scores, day, resamples=_resamples(day), seed=SEED)
    span = {name: day.isoformat() for name, day in _span(both).items()}
    return {"against": against, "comparison": {**answer.to_json(), **span}}


def _span(rows: pa.Table) -> dict[str, Any]:
    """The first and last day of these rows."""
    ends = pc.min_max(rows["day"]).as_py()
    return {"starts_on": ends["min"], "ends_on": ends["max"]}


def _resamples(days: np.ndarray) -> int:
    """A single day is one block: nothing can be drawn from it."""
    return RESAMPLES if np.unique(days).size > 1 else 0


def _why_not(labels: pa.ChunkedArray, scores: list[pa.ChunkedArray]) -> str:
    """Why no metric can be given for these rows; empty if it can."""
    if not len(labels):
        return "No labels yet."
    truth = np.asarray(labels)
    if not np.isin(truth, (0.0, 1.0)).all():
        return "Labels are not 0 and 1."
    for column in scores:
        if column.null_count:
            return "Predictions are not numbers."
        values = np.asarray(column)
        if not ((values >= 0) & (values <= 1)).all():
            return "Predictions are not probabilities from 0 to 1."
    return ""
