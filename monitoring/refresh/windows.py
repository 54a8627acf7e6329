"""Computing stale days, and the weeks and deployments they belong to, and replacing their windows."""

from __future__ import annotations

import tempfile
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.object_store import ObjectMissing, store
from deployments.models import LogSegment
from measures.frames import TableFrame
from measures.sketches import TableSketch
from monitoring.compute import features, quality
from monitoring.compute.references import stored
from monitoring.models import (
    FeatureWindow,
    Granularity,
    Label,
    LabelDay,
    QualityWindow,
    Reference,
    SegmentSketch,
    StaleDay,
)
from monitoring.refresh.run import Run

# A deployment's quality is over its newest quarter: older rows say little about it now.
DAYS_OF_DEPLOYMENT = 92

Layout = tuple[TableFrame, TableSketch]


def compute_stale(run: Run, references: dict[uuid.UUID, Reference]) -> int:
    """Replace every window that a marked day belongs to; answer the number of days."""
    stale = list(StaleDay.objects.filter(watch=run.watch).order_by("day").values_list("day", "marks"))
    if not stale:
        return 0
    layouts = {version: stored(each.frame, each.sketch) for version, each in references.items()}
    versions = _versions(run)
    weeks = sorted({monday(day) for day, _ in stale})
    for number, (day, marks) in enumerate(stale):
        run.lease.progress(55 + 25 * number / len(stale), f"Computing {day}")
        _compute_day(run, day, marks, layouts, versions)
    for number, week in enumerate(weeks):
        run.lease.progress(80 + 12 * number / len(weeks), f"Computing the week of {week}")
        _compute_week(run, week, layouts, versions)
    run.lease.progress(92, "Computing each deployment")
    _compute_deployments(run, versions)
    return len(stale)


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _compute_day(
    run: Run, day: date, marks: int, layouts: dict[uuid.UUID, Layout], versions: dict[str, str]
) -> None:
    drawn = _feature_windows(run, Granularity.DAY, day, [day], layouts)
    rows = _rows_of_day(run, day)
    predictions, labelled, delays = quality.arrivals(rows)
    scored = _quality_rows(run, Granularity.DAY, day, day, rows, versions)
    key = _key(run, day)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "day.parquet"
        pq.write_table(rows, path, compression="zstd")
        store().put_named(key, path)
    with run.writing():
        _replace(FeatureWindow, run, Granularity.DAY, day, drawn)
        _replace(QualityWindow, run, Granularity.DAY, day, scored)
        LabelDay.objects.update_or_create(
            watch=run.watch,
            day=day,
            defaults={"predictions": predictions, "labelled": labelled, "delays": delays},
        )
        # A mark that came while we computed stays, and the day is computed again.
        StaleDay.objects.filter(watch=run.watch, day=day, marks=marks).delete()


def _compute_week(run: Run, week: date, layouts: dict[uuid.UUID, Layout], versions: dict[str, str]) -> None:
    days = [week + timedelta(days=number) for number in range(7)]
    drawn = _feature_windows(run, Granularity.WEEK, week, days, layouts)
    rows = _kept_rows(run, days)
    scored = _quality_rows(run, Granularity.WEEK, week, days[-1], rows, versions)
    with run.writing():
        _replace(FeatureWindow, run, Granularity.WEEK, week, drawn)
        _replace(QualityWindow, run, Granularity.WEEK, week, scored)


def _compute_deployments(run: Run, versions: dict[str, str]) -> None:
    counted = LabelDay.objects.filter(watch=run.watch).order_by("-day")
    days = sorted(counted.values_list("day", flat=True)[:DAYS_OF_DEPLOYMENT])
    rows = _kept_rows(run, days)
    if not rows.num_rows:
        return
    scored = _quality_rows(run, Granularity.DEPLOYMENT, days[0], days[-1], rows, versions)
    with run.writing():
        QualityWindow.objects.filter(watch=run.watch, granularity=Granularity.DEPLOYMENT).delete()
        QualityWindow.objects.bulk_create(scored)


def _feature_windows(
    run: Run, size: str, starts_on: date, days: Sequence[date], layouts: dict[uuid.UUID, Layout]
) -> list[FeatureWindow]:
    parts: dict[tuple[uuid.UUID, str], list[bytes]] = defaultdict(list)
    kept = SegmentSketch.objects.filter(watch=run.watch, day__in=days, version__in=layouts).exclude(
        sketch=b""
    )
    for version, role, sketch in kept.values_list("version_id", "role", "sketch"):
        parts[version, role].append(bytes(sketch))
    return [
        FeatureWindow(
            watch=run.watch, version_id=version, role=role, granularity=size, starts_on=starts_on, **row
        )
        for (version, role), sketches in parts.items()
        for row in features.feature_rows(layouts[version][1], features.merged(layouts[version][0], sketches))
    ]


def _quality_rows(
    run: Run, size: str, starts_on: date, ends_on: date, rows: pa.Table, versions: dict[str, str]
) -> list[QualityWindow]:
    found = []
    for window in quality.quality_windows(rows, versions):
        version, against = window.pop("version"), window.pop("against", None)
        if size != Granularity.DEPLOYMENT:
            window |= {"starts_on": starts_on, "ends_on": ends_on}
        found.append(
            QualityWindow(
                watch=run.watch,
                version_id=version,
                granularity=size,
                against_id=against,
                **window,
            )
        )
    return found


def _rows_of_day(run: Run, day: date) -> pa.Table:
    start = datetime.combine(day, time.min, UTC)
    end = start + timedelta(days=1)
    segments = LogSegment.objects.filter(endpoint=run.endpoint, event_from__lt=end, event_to__gte=start)
    with store().local_files() as files:
        paths = [files.named(key) for key in segments.values_list("key", flat=True)]
        predictions = quality.predictions_of_day(paths, day)
    labels = Label.objects.filter(endpoint=run.endpoint, event_time__gte=start, event_time__lt=end)
    known = list(labels.values_list("prediction_id", "value", "observed_at"))
    return quality.with_labels(predictions, known, day)


def _kept_rows(run: Run, days: Iterable[date]) -> pa.Table:
    """The joined rows that computing each day left behind."""
    tables = []
    for day in days:
        try:
            with store().open_named(_key(run, day)) as file:
                tables.append(pq.read_table(file))
        except ObjectMissing:
            continue
    return (
        pa.concat_tables(tables)
        if tables
        else quality.with_labels(quality.predictions_of_day([], date.min), [], date.min)
    )


def _key(run: Run, day: date) -> str:
    return f"monitoring/{run.watch.pk}/labelled/{day}.parquet"


def _versions(run: Run) -> dict[str, str]:
    pairs = run.endpoint.deployments.values_list("pk", "version_id")
    return {str(deployment): str(version) for deployment, version in pairs}


def _replace(kind: Any, run: Run, size: str, starts_on: date, rows: list[Any]) -> None:
    kind.objects.filter(watch=run.watch, granularity=size, starts_on=starts_on).delete()
    kind.objects.bulk_create(rows)
