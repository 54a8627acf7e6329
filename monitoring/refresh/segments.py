"""Reading new segments of the request log into sketches, marks and health windows."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from core.object_store import store
from deployments.models import LogSegment
from measures.frames import TableFrame
from measures.latency import LatencyHistogram
from monitoring.compute.segments import SegmentReading, read_segment
from monitoring.models import Granularity, HealthWindow, Reference, SegmentSketch, SegmentSummary, Watch
from monitoring.refresh.run import Run
from monitoring.services import mark_stale

BATCH = 20
MINUTES_KEPT = timedelta(days=2)
COUNTS = ("requests", "rows", "errors", "refused")


def read_new_segments(run: Run, references: dict[uuid.UUID, Reference]) -> int:
    """Sketch the segments not read yet, or read before the reference was there; answer how many."""
    segments = list(_unread(run.watch, references))
    frames = {reference.pk: TableFrame.from_json(reference.frame) for reference in references.values()}
    for start in range(0, len(segments), BATCH):
        run.lease.progress(5 + 40 * start / len(segments), f"Reading segment {start + 1} of {len(segments)}")
        readings = []
        for segment in segments[start : start + BATCH]:
            reference = references.get(segment.deployment.version_id)
            frame = frames[reference.pk] if reference else None
            with store().local_files() as files:
                readings.append((segment, reference, read_segment(files.named(segment.key), frame)))
        with run.writing():
            for segment, reference, reading in readings:
                _keep(run.watch, segment, reference, reading)
            _advance(run.watch, [reading for _, _, reading in readings])
            for hour in sorted({(segment.date, segment.hour) for segment, _, _ in readings}):
                _replace_health(run.watch, *hour)
    HealthWindow.objects.filter(
        watch=run.watch, granularity=Granularity.MINUTE, starts_at__lt=timezone.now() - MINUTES_KEPT
    ).delete()
    return len(segments)


def _unread(watch: Watch, references: dict[uuid.UUID, Reference]) -> Iterable[LogSegment]:
    outdated = Q(summary__isnull=True)
    for version, reference in references.items():
        outdated |= Q(deployment__version=version) & ~Q(summary__frame_key=reference.frame_key)
    mine = LogSegment.objects.filter(endpoint=watch.endpoint_id).filter(outdated)
    return mine.select_related("deployment").order_by("served_from", "pk")


def _keep(watch: Watch, segment: LogSegment, reference: Reference | None, reading: SegmentReading) -> None:
    SegmentSummary.objects.update_or_create(
        segment=segment,
        defaults={
            "watch": watch,
            "minutes": reading.minutes,
            "frame_key": reference.frame_key if reference else "",
            "read_at": timezone.now(),
        },
    )
    SegmentSketch.objects.filter(segment=segment).delete()
    SegmentSketch.objects.bulk_create(
        SegmentSketch(
            watch=watch,
            segment=segment,
            version_id=segment.deployment.version_id,
            role=role,
            day=day,
            rows=found.rows,
            refused=found.refused,
            sketch=found.sketch,
        )
        for (role, day), found in reading.days.items()
    )
    mark_stale(watch, (day for _, day in reading.days))


def _advance(watch: Watch, readings: list[SegmentReading]) -> None:
    """Move the watermarks forward, never back."""
    watch.refresh_from_db(fields=["watermark", "served_to"])
    for name, seen in (
        ("watermark", [reading.event_to for reading in readings]),
        ("served_to", [reading.served_to for reading in readings]),
    ):
        known = [each for each in (getattr(watch, name), *seen) if each is not None]
        setattr(watch, name, max(known, default=None))
    watch.save(update_fields=["watermark", "served_to"])


def _replace_health(watch: Watch, date: Any, hour: int) -> None:
    start = datetime(date.year, date.month, date.day, hour, tzinfo=UTC)
    merged: dict[tuple[str, Any, str, datetime], dict[str, Any]] = {}
    summaries = SegmentSummary.objects.filter(watch=watch, segment__date=date, segment__hour=hour)
    for summary in summaries.select_related("segment__deployment"):
        version = summary.segment.deployment.version_id
        for role, minutes in summary.minutes.items():
            for minute, counts in minutes.items():
                at = datetime.fromisoformat(minute)
                for size, starts_at in ((Granularity.MINUTE, at), (Granularity.HOUR, start)):
                    _add(merged.setdefault((str(size), version, role, starts_at), {}), counts)
    HealthWindow.objects.filter(
        watch=watch, starts_at__gte=start, starts_at__lt=start + timedelta(hours=1)
    ).delete()
    HealthWindow.objects.bulk_create(
        HealthWindow(
            watch=watch,
            version_id=version,
            role=role,
            granularity=size,
            starts_at=starts_at,
            latency=counts["latency"].to_json(),
            **{name: counts[name] for name in COUNTS},
        )
        for (size, version, role, starts_at), counts in merged.items()
    )


def _add(total: dict[str, Any], counts: dict[str, Any]) -> None:
    for name in COUNTS:
        total[name] = total.get(name, 0) + counts[name]
    part = LatencyHistogram.from_json(counts.get("latency", {}))
    total["latency"] = part if "latency" not in total else total["latency"].merged(part)
