"""Finding the predictions of labels that wait."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import Count, Q
from django.db.models.functions import Now

from core.object_store import store
from deployments.models import LogSegment
from monitoring.compute.matching import asked_at, event_times
from monitoring.models import Label, LabelBatch
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
    """Give waiting labels their prediction's event time; answer how many found theirs."""
    waiting = list(
        Label.objects.filter(endpoint=run.endpoint, event_time__isnull=True).values_list(
            "prediction_id", "batch__matched_at"
        )
    )
    if not waiting:
        return 0
    run.lease.progress(50, f"Finding the predictions of {len(waiting):,} labels")
    with store().local_files() as files:
        paths = [files.named(key) for key in _segments_for(run, waiting)]
        found = event_times(paths, [prediction_id for prediction_id, _ in waiting])
    items = sorted(found.items())
    with run.writing():
        for start in range(0, len(items), PART):
            part = items[start : start + PART]
            with connection.cursor() as cursor:
                cursor.execute(
                    SET_EVENT_TIMES, [[each[0] for each in part], [each[1] for each in part], run.endpoint.pk]
                )
        mark_stale(run.watch, (moment.astimezone(UTC).date() for moment in found.values()))
        _count_unknown(run)
    return len(items)


def _segments_for(run: Run, waiting: list[tuple[str, datetime | None]]) -> Iterable[str]:
    """Segments that may hold a waiting label's prediction and were not searched for it before."""
    moments = {prediction_id: asked_at(prediction_id) for prediction_id, _ in waiting}
    first_tries = sorted(moment for each, tried in waiting if tried is None and (moment := moments[each]))
    is_foreign = any(moments[each] is None and tried is None for each, tried in waiting)
    first_tried = min((tried for _, tried in waiting if tried is not None), default=None)
    segments = LogSegment.objects.filter(endpoint=run.endpoint).exclude(slot="shadow").order_by("served_from")
    for key, start, end, sealed_at in segments.values_list("key", "served_from", "served_to", "sealed_at"):
        place = bisect_left(first_tries, start - BEFORE)
        is_near = place < len(first_tries) and first_tries[place] <= end + AFTER
        is_new = first_tried is not None and sealed_at > first_tried
        if is_near or is_foreign or is_new:
            yield key


def _count_unknown(run: Run) -> None:
    """Write on each batch how many of its labels name no prediction that we know."""
    batches = LabelBatch.objects.filter(endpoint=run.endpoint).filter(
        Q(matched_at__isnull=True) | Q(unknown__gt=0)
    )
    counted = batches.annotate(left=Count("labels", filter=Q(labels__event_time__isnull=True)))
    for batch in counted:
        unknown = batch.labels.filter(event_time__isnull=True).order_by("pk")
        examples = list(unknown.values_list("prediction_id", flat=True)[:MOST_EXAMPLES]) if batch.left else []
        LabelBatch.objects.filter(pk=batch.pk).update(
            unknown=batch.left, unknown_examples=examples, matched_at=Now()
        )
