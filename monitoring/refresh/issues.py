"""Data issues of an endpoint, from its windows."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from datetime import date, timedelta

from monitoring.compute.issues import DayOfFeature, FoundIssue, find_issues, refused_issues
from monitoring.models import DataIssue, FeatureWindow, Granularity, Reference, Role, SegmentSketch
from monitoring.refresh.run import Run

DAYS = 120
OPEN_DAYS = timedelta(days=1)


def replace_issues(run: Run, references: dict[uuid.UUID, Reference]) -> int:
    """Find the issues of the newest days again; answer how many there are."""
    run.watch.refresh_from_db(fields=["watermark"])
    if run.watch.watermark is None:
        return 0
    newest = run.watch.watermark.date()
    since = newest - timedelta(days=DAYS)
    found = {**_of_windows(run, references, since)}
    for version, issues in _of_refusals(run, since).items():
        found.setdefault(version, []).extend(issues)
    rows = [
        DataIssue(
            watch=run.watch,
            version_id=version,
            feature=issue.feature,
            kind=issue.kind,
            first_day=issue.first_day,
            last_day=issue.last_day,
            rows=issue.rows,
            affected=issue.affected,
            usual_share=issue.usual_share,
            is_open=issue.last_day >= newest - OPEN_DAYS,
            details=issue.details,
        )
        for version, issues in found.items()
        for issue in issues
    ]
    with run.writing():
        DataIssue.objects.filter(watch=run.watch, last_day__gte=since).delete()
        DataIssue.objects.bulk_create(rows)
    return len(rows)


def _of_windows(
    run: Run, references: dict[uuid.UUID, Reference], since: date
) -> dict[uuid.UUID, list[FoundIssue]]:
    days: dict[uuid.UUID, list[DayOfFeature]] = defaultdict(list)
    windows = FeatureWindow.objects.filter(
        watch=run.watch,
        granularity=Granularity.DAY,
        role=Role.SERVED,
        is_prediction=False,
        starts_on__gte=since,
        version__in=references,
    )
    for window in windows:
        profile = references[window.version_id].profile.get(f"in_{window.feature}", {})
        rows = profile.get("rows") or 1
        days[window.version_id].append(
            DayOfFeature(
                feature=window.feature,
                day=window.starts_on,
                rows=window.rows,
                missing=window.missing,
                unexpected=window.unexpected,
                is_categorical=profile.get("kind") == "categorical",
                usual_missing=profile.get("missing", 0) / rows,
                examples=window.examples,
            )
        )
    return {version: find_issues(each) for version, each in days.items()}


def _of_refusals(run: Run, since: date) -> dict[uuid.UUID, list[FoundIssue]]:
    counts: dict[uuid.UUID, dict[date, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    scored: Counter[tuple[uuid.UUID, date]] = Counter()
    sketches = SegmentSketch.objects.filter(watch=run.watch, role=Role.SERVED, day__gte=since)
    for version, day, rows, refused in sketches.values_list("version_id", "day", "rows", "refused"):
        scored[version, day] += rows
        if refused:
            counts[version][day].update(refused)
    return {
        version: refused_issues(
            (day, dict(codes), scored[version, day] + codes.total()) for day, codes in days.items()
        )
        for version, days in counts.items()
    }
