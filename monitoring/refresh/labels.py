"""Finding the predictions of labels that wait."""

from __future__ import annotations

import uuid
from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import Count, Q
from django.db.models.functions import Now

from core.object_store import store
from deployments.models import LogSegment
from monitoring.compute.matching import asked_at, event_times
from monitoring.models import Label, LabelBatch, SegmentSummary
from monitoring.refresh.run import Run
from monitoring.services import mark_stale

BEFORE, AFTER = timedelta(seconds=10), timedelta(minutes=5)
PART = 5_000
MOST_EXAMPLES = 20
SET_EVENT_TIMES = """
    UPDATE monitoring_label SET event_time = found.event_time
    FROM unnest(%s::text[], %s::timestamptz[]) AS found(prediction_id, event_time)
    WHERE endpoint_id = %s AND monitoring_label.prediction_id = found.prediction_id
"""


def match_labels(run: Run) -> int:
    """Give waiting labels their prediction's event time; answer how many found theirs.

    What was searched is kept by segment and batch, never by a clock: a segment that is being
    sealed, or a batch that is being sent, while this looks is neither seen now nor passed over later.
    """
    # Batches before their labels: what comes in between is of no batch in this list.
    batches = list(
        LabelBatch.objects.filter(endpoint=run.endpoint)
        .filter(Q(matched_at__isnull=True) | Q(unknown__gt=0))
        .values_list("pk", flat=True)
    )
    summaries = SegmentSummary.objects.filter(watch=run.watch)
    fresh = set(summaries.filter(is_searched=False).values_list("pk", flat=True))
    waiting = list(
        Label.objects.filter(batch__in=batches, event_time__isnull=True).values_list(
            "prediction_id", "batch__matched_at"
        )
    )
    items: list[tuple[str, datetime]] = []
    if waiting:
        run.lease.progress(50, f"Finding the predictions of {len(waiting):,} labels")
        with store().local_files() as files:
            paths = [files.named(key) for key in _segments_for(run, waiting, fresh)]
            items = sorted(event_times(paths, [prediction_id for prediction_id, _ in waiting]).items())
    if not batches and not fresh:
        return 0
    with run.writing():
        _set_event_times(run, items)
        _count_unknown(batches)
        summaries.filter(pk__in=fresh).update(is_searched=True)
    return len(items)


def _segments_for(
    run: Run, waiting: list[tuple[str, datetime | None]], fresh: set[uuid.UUID]
) -> Iterable[str]:
    """Segments that may hold a waiting label's prediction and were not searched for it before."""
    first_tries = [asked_at(prediction_id) for prediction_id, tried in waiting if tried is None]
    moments = sorted(moment for moment in first_tries if moment is not None)
    is_foreign = len(moments) < len(first_tries)
    segments = LogSegment.objects.filter(summary__watch=run.watch).exclude(slot="shadow")
    for segment in segments.order_by("served_from").only("key", "served_from", "served_to"):
        place = bisect_left(moments, segment.served_from - BEFORE)
        is_near = place < len(moments) and moments[place] <= segment.served_to + AFTER
        if is_near or is_foreign or segment.pk in fresh:
            yield segment.key


def _set_event_times(run: Run, items: list[tuple[str, datetime]]) -> None:
    for start in range(0, len(items), PART):
        part = items[start : start + PART]
        with connection.cursor() as cursor:
            cursor.execute(
                SET_EVENT_TIMES, [[each[0] for each in part], [each[1] for each in part], run.endpoint.pk]
            )
    mark_stale(run.watch, (moment.astimezone(UTC).date() for _, moment in items))


def _count_unknown(batches: list[uuid.UUID]) -> None:
    """Write on each batch how many of its labels name no prediction that we know."""
    counted = LabelBatch.objects.filter(pk__in=batches).annotate(
        left=Count("labels", filter=Q(labels__event_time__isnull=True))
    )
    for batch in counted:
        unknown = batch.labels.filter(event_time__isnull=True).order_by("pk")
        examples = list(unknown.values_list("prediction_id", flat=True)[:MOST_EXAMPLES]) if batch.left else []
        LabelBatch.objects.filter(pk=batch.pk).update(
            unknown=batch.left, unknown_examples=examples, matched_at=Now()
        )
